import type { CelType } from '#base/languages/cel/types.ts'
import { CelOpaque } from '#base/languages/cel/values.ts'

/** A value of a library's type, around what it stands for. Two are equal if what `identity` makes of them is the same. */
export class OpaqueValue<T> extends CelOpaque {
  readonly type: CelType
  readonly held: T
  readonly #isSame: (a: T, b: T) => boolean
  constructor(type: CelType, held: T, isSame: (a: T, b: T) => boolean = Object.is) {
    super()
    this.type = type
    this.held = held
    this.#isSame = isSame
  }
  override equals(other: CelOpaque): boolean {
    return other instanceof OpaqueValue && other.type.name === this.type.name && this.#isSame(this.held, other.held as T)
  }
}
