import { type CelType, formatType } from './types.ts'

/**
 * A value of CEL. `int` is a bigint within 64 bits, `double` a number, `string`, `bool` and `null` are JavaScript's own, `bytes` a
 * Uint8Array; the rest are the classes below. Objects of JSON are read where they are: see `json-values.ts`.
 */
export type CelValue =
  | bigint
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | CelUint
  | CelTimestamp
  | CelDuration
  | CelList
  | CelMap
  | CelObject
  | CelOptional
  | CelTypeValue
  | CelOpaque

/** An unsigned integer of 64 bits. */
export class CelUint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

/** A moment: nanoseconds since 1970, between the years 1 and 9999. */
export class CelTimestamp {
  readonly nanoseconds: bigint
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

/** A length of time in nanoseconds. */
export class CelDuration {
  readonly nanoseconds: bigint
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

/** A list. Elements are adapted when they are read. */
export abstract class CelList {
  abstract readonly size: number
  /** Set where the order of elements says nothing: the fields that tell them apart, none for the elements themselves. */
  readonly keyedBy?: readonly string[] | undefined
  /** The element at an index that is within the list. */
  abstract at(index: number): CelValue
  *[Symbol.iterator](): Generator<CelValue> {
    for (let i = 0; i < this.size; i++) yield this.at(i)
  }
}

/** A list of values that an expression made. */
export class ArrayList extends CelList {
  readonly elements: readonly CelValue[]
  constructor(elements: readonly CelValue[]) {
    super()
    this.elements = elements
  }
  get size(): number {
    return this.elements.length
  }
  at(index: number): CelValue {
    return this.elements[index]!
  }
}

/** What tells an element of a set (without keys) or of a map of a list apart. */
export function elementKey(element: CelValue, keys: readonly string[]): string {
  const parts = keys.length === 0 ? [element] : keys.map(key => (element instanceof CelObject ? element.get(key) : null) ?? null)
  return parts.map(part => `${typeof part}:${part instanceof CelUint ? part.value : String(part)}`).join('\n')
}

/** What a map may be looked up with. */
export type CelKey = bigint | string | boolean | CelUint | number

/** A map. Keys that are equal as numbers are one key, whatever their types. */
export abstract class CelMap {
  abstract readonly size: number
  /** The value of a key; undefined where there is none. */
  abstract get(key: CelValue): CelValue | undefined
  abstract keys(): Iterable<CelValue>
}

/** A map that an expression made. */
export class EntryMap extends CelMap {
  readonly #entries = new Map<string | bigint | boolean, readonly [CelValue, CelValue]>()
  constructor(entries: Iterable<readonly [CelValue, CelValue]> = []) {
    super()
    for (const entry of entries) this.#entries.set(keyOf(entry[0])!, entry)
  }
  get size(): number {
    return this.#entries.size
  }
  get(key: CelValue): CelValue | undefined {
    const plain = keyOf(key)
    return plain === undefined ? undefined : this.#entries.get(plain)?.[1]
  }
  *keys(): Generator<CelValue> {
    for (const [key] of this.#entries.values()) yield key
  }
}

/** Numbers that are equal have one key; undefined for what cannot be a key of a map. */
export function keyOf(key: CelValue): string | bigint | boolean | undefined {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key
  if (key instanceof CelUint) return key.value
  if (typeof key === 'number' && Number.isInteger(key)) return BigInt(key)
  return undefined
}

/** An object of a named type. `has` is what the macro `has()` asks. */
export abstract class CelObject {
  abstract readonly type: CelType
  /** The value of a field, its default where it is not set; undefined where the type has no such field. */
  abstract get(field: string): CelValue | undefined
  /** Whether the field is set; undefined where the type has no such field. */
  abstract has(field: string): boolean | undefined
  /** Whether another object is equal to this one, fields and type. */
  abstract equals(other: CelObject, equal: (a: CelValue, b: CelValue) => boolean): boolean
}

/** A value that may be missing. */
export class CelOptional {
  static readonly none = new CelOptional(undefined)
  readonly value: CelValue | undefined
  constructor(value: CelValue | undefined) {
    this.value = value
  }
}

/** A type as a value: what `type(x)` gives. */
export class CelTypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** A value of an opaque type of a library: an IP address, a quantity, an authorizer. */
export abstract class CelOpaque {
  abstract readonly type: CelType
  equals(other: CelOpaque): boolean {
    return this === other
  }
}

/** The type that a value turned out to have. */
export function typeNameOf(value: CelValue): string {
  switch (typeof value) {
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
  }
  if (value === null) return 'null_type'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof CelUint) return 'uint'
  if (value instanceof CelTimestamp) return 'google.protobuf.Timestamp'
  if (value instanceof CelDuration) return 'google.protobuf.Duration'
  if (value instanceof CelList) return 'list'
  if (value instanceof CelMap) return 'map'
  if (value instanceof CelOptional) return 'optional_type'
  if (value instanceof CelTypeValue) return 'type'
  return value.type.name
}

/** For messages of our own bugs. */
export function describeValue(value: CelValue): string {
  return value instanceof CelOpaque ? formatType(value.type) : typeNameOf(value)
}
