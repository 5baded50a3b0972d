import { type CelType, DYN, functionType, isDyn, isDynOrError, listOf, mapOf, sameType } from './types.ts'

/** What type parameters stand for, found while an expression is checked. A failed attempt leaves no trace. */
export class Substitutions {
  readonly #bound = new Map<string, CelType>()
  /** What was bound before each change, to take it back. */
  readonly #trail: (readonly [string, CelType | undefined])[] = []

  /** Whether a value of type `from` may stand where `to` is expected; binds type parameters of both if so. */
  assign(to: CelType, from: CelType): boolean {
    return this.#attempt(() => this.#isAssignable(to, from))
  }

  assignAll(to: readonly CelType[], from: readonly CelType[]): boolean {
    return this.#attempt(() => this.#areAssignable(to, from))
  }

  /** The type with what is known of its parameters put in; unknown ones become `dyn` if `toDyn`. */
  resolve(type: CelType, toDyn = false): CelType {
    if (type.kind === 'typeParam') {
      const bound = this.#bound.get(type.name)
      if (bound !== undefined) return this.resolve(bound, toDyn)
      return toDyn ? DYN : type
    }
    if (type.parameters.length === 0) return type
    const parameters = type.parameters.map(parameter => this.resolve(parameter, toDyn))
    return parameters.every((parameter, i) => parameter === type.parameters[i]) ? type : { ...type, parameters }
  }

  #attempt(unify: () => boolean): boolean {
    const start = this.#trail.length
    if (unify()) {
      this.#trail.length = 0
      return true
    }
    while (this.#trail.length > start) {
      const [name, before] = this.#trail.pop()!
      if (before === undefined) this.#bound.delete(name)
      else this.#bound.set(name, before)
    }
    return false
  }

  #bind(name: string, type: CelType): void {
    this.#trail.push([name, this.#bound.get(name)])
    this.#bound.set(name, type)
  }

  #isAssignable(a: CelType, b: CelType): boolean {
    if (b.kind === 'typeParam') {
      const found = this.#substitute(a, b)
      if (found.valid) return true
      if (found.bound) return false
    }
    if (a.kind === 'typeParam') return this.#substitute(b, a).valid
    if (isDynOrError(a) || isDynOrError(b)) return true
    if (a.kind === 'null') return isNullable(b)
    if (b.kind === 'null') return isNullable(a)
    if (a.kind === 'wrapper') return this.#isAssignable(a.parameters[0]!, b.kind === 'wrapper' ? b.parameters[0]! : b)
    if (b.kind === 'wrapper') return this.#isAssignable(a, b.parameters[0]!)
    if (a.kind !== b.kind) return false
    switch (a.kind) {
      case 'type':
        return true
      case 'list':
      case 'map':
      case 'function':
        return this.#areAssignable(a.parameters, b.parameters)
      case 'opaque':
        return a.name === b.name && this.#areAssignable(a.parameters, b.parameters)
      default:
        return a.name === b.name
    }
  }

  #areAssignable(a: readonly CelType[], b: readonly CelType[]): boolean {
    return a.length === b.length && a.every((type, i) => this.#isAssignable(type, b[i]!))
  }

  /** Whether parameter `b` may stand for `a`, and whether it was bound before. */
  #substitute(a: CelType, b: CelType): { valid: boolean; bound: boolean } {
    if (sameType(a, b)) return { valid: true, bound: true }
    const before = this.#bound.get(b.name)
    if (before !== undefined) {
      if (sameType(a, before)) return { valid: true, bound: true }
      if (!this.#isAssignable(a, before)) return { valid: false, bound: true }
      const general = mostGeneral(a, before)
      if (!this.#occursIn(b, general)) this.#bind(b.name, general)
      return { valid: true, bound: true }
    }
    if (this.#occursIn(b, a)) return { valid: false, bound: false }
    this.#bind(b.name, a)
    return { valid: true, bound: false }
  }

  #occursIn(parameter: CelType, type: CelType): boolean {
    if (sameType(parameter, type)) return true
    if (type.kind === 'typeParam') {
      const bound = this.#bound.get(type.name)
      return bound !== undefined && this.#occursIn(parameter, bound)
    }
    return type.parameters.some(inner => this.#occursIn(parameter, inner))
  }
}

function isNullable(type: CelType): boolean {
  return ['any', 'duration', 'null', 'object', 'opaque', 'timestamp', 'wrapper'].includes(type.kind)
}

/** Of two types that fit each other, the one that says less. */
export function mostGeneral(a: CelType, b: CelType): CelType {
  return isEqualOrLessSpecific(a, b) ? a : b
}

function isEqualOrLessSpecific(a: CelType, b: CelType): boolean {
  if (isDyn(a) || a.kind === 'typeParam') return true
  if (isDyn(b) || b.kind === 'typeParam') return false
  if (a.kind === 'wrapper' && b.kind !== 'wrapper') return b.kind === 'null' || sameType(a.parameters[0]!, b)
  if (b.kind === 'wrapper' && a.kind !== 'wrapper') return false
  if (a.kind === 'null' && b.kind !== 'null') return false
  if (b.kind === 'null' && a.kind !== 'null') return true
  if (a.kind !== b.kind) return false
  if (a.kind === 'type') return true
  return (
    a.name === b.name &&
    a.parameters.length === b.parameters.length &&
    a.parameters.every((type, i) => isEqualOrLessSpecific(type, b.parameters[i]!))
  )
}

/** A function's type with fresh names for its type parameters. */
export function withFreshParameters(result: CelType, parameters: readonly CelType[], fresh: () => CelType): CelType {
  const names = new Map<string, CelType>()
  const rename = (type: CelType): CelType => {
    if (type.kind === 'typeParam') {
      const known = names.get(type.name)
      if (known !== undefined) return known
      const made = fresh()
      names.set(type.name, made)
      return made
    }
    if (type.parameters.length === 0) return type
    if (type.kind === 'list') return listOf(rename(type.parameters[0]!))
    if (type.kind === 'map') return mapOf(rename(type.parameters[0]!), rename(type.parameters[1]!))
    return { ...type, parameters: type.parameters.map(rename) }
  }
  return functionType(rename(result), ...parameters.map(rename))
}
