import { isJsonObject, setAt } from '../patch/json-object.ts'

/**
 * A set of paths into an object, as `managedFields` keeps them. A step is text: `f:name` is a field, `k:{"name":"c"}` the element of a list
 * with these keys, `v:"x"` the element of a set, `i:0` an index. Sets are never changed; operations answer with new ones and share what they can.
 */
export class FieldSet {
  /** Steps that are in the set themselves. */
  readonly members: ReadonlySet<string>
  /** What the set holds below a step; never an empty set. */
  readonly children: ReadonlyMap<string, FieldSet>

  constructor(members: ReadonlySet<string>, children: ReadonlyMap<string, FieldSet>) {
    this.members = members
    this.children = children
  }

  static readonly empty = new FieldSet(new Set(), new Map())

  /** The set of these paths. */
  static of(...paths: readonly (readonly string[])[]): FieldSet {
    const builder = new FieldSetBuilder()
    for (const path of paths) builder.insert(path)
    return builder.build()
  }

  get isEmpty(): boolean {
    return this.members.size === 0 && this.children.size === 0
  }

  has(step: string): boolean {
    return this.members.has(step)
  }

  /** What lies below `step`. */
  below(step: string): FieldSet {
    return this.children.get(step) ?? FieldSet.empty
  }

  union(other: FieldSet): FieldSet {
    if (this.isEmpty) return other
    if (other.isEmpty) return this
    const children = new Map(this.children)
    for (const [step, set] of other.children) children.set(step, children.get(step)?.union(set) ?? set)
    return new FieldSet(new Set([...this.members, ...other.members]), children)
  }

  intersection(other: FieldSet): FieldSet {
    return this.#with(
      step => other.members.has(step),
      (step, set) => set.intersection(other.below(step)),
    )
  }

  /** What is in this set and not in `other`; paths below a member of `other` stay. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this
    return this.#with(
      step => !other.members.has(step),
      (step, set) => set.difference(other.below(step)),
    )
  }

  /** As {@link difference}, but what lies below a member of `other` goes too. */
  recursiveDifference(other: FieldSet): FieldSet {
    if (other.isEmpty) return this
    return this.#with(
      step => !other.members.has(step),
      (step, set) => (other.members.has(step) ? FieldSet.empty : set.recursiveDifference(other.below(step))),
    )
  }

  equals(other: FieldSet): boolean {
    if (this.members.size !== other.members.size || this.children.size !== other.children.size) return false
    for (const step of this.members) if (!other.members.has(step)) return false
    for (const [step, set] of this.children) if (!other.children.get(step)?.equals(set)) return false
    return true
  }

  /** All paths, in order. */
  *paths(prefix: readonly string[] = []): Generator<readonly string[]> {
    for (const step of [...new Set([...this.members, ...this.children.keys()])].sort(compareSteps)) {
      if (this.members.has(step)) yield [...prefix, step]
      yield* this.below(step).paths([...prefix, step])
    }
  }

  /** The form in `fieldsV1`: steps in order, `.` where a step with others below it is in the set itself. */
  toFieldsV1(): Readonly<Record<string, unknown>> {
    const fields: Record<string, unknown> = {}
    for (const step of [...new Set([...this.members, ...this.children.keys()])].sort(compareSteps)) {
      const below = this.children.get(step)?.toFieldsV1()
      setAt(fields, step, below ? { ...(this.members.has(step) ? { '.': {} } : {}), ...below } : {})
    }
    return fields
  }

  /** Reads {@link toFieldsV1}'s form; throws where it is none. */
  static fromFieldsV1(fields: unknown): FieldSet {
    if (!isJsonObject(fields)) throw new TypeError('fieldsV1 is no object')
    const members = new Set<string>()
    const children = new Map<string, FieldSet>()
    for (const key of Object.keys(fields)) {
      if (key === '.') continue
      const step = canonicalStep(key)
      const value = fields[key]
      if (!isJsonObject(value)) throw new TypeError(`fieldsV1: what is below ${key} is no object`)
      const below = FieldSet.fromFieldsV1(value)
      if (below.isEmpty || Object.hasOwn(value, '.')) members.add(step)
      if (!below.isEmpty) children.set(step, below)
    }
    return new FieldSet(members, children)
  }

  #with(isKept: (step: string) => boolean, below: (step: string, set: FieldSet) => FieldSet): FieldSet {
    const members = new Set<string>()
    for (const step of this.members) if (isKept(step)) members.add(step)
    const children = new Map<string, FieldSet>()
    for (const [step, set] of this.children) {
      const next = below(step, set)
      if (!next.isEmpty) children.set(step, next)
    }
    return new FieldSet(members, children)
  }
}

/** Collects paths into a {@link FieldSet}. */
export class FieldSetBuilder {
  readonly #members = new Set<string>()
  readonly #children = new Map<string, FieldSetBuilder>()

  insert(path: readonly string[], from = 0): void {
    const step = path[from]
    if (step === undefined) return
    if (from === path.length - 1) this.#members.add(step)
    else this.below(step).insert(path, from + 1)
  }

  add(step: string): void {
    this.#members.add(step)
  }

  below(step: string): FieldSetBuilder {
    let child = this.#children.get(step)
    if (!child) {
      child = new FieldSetBuilder()
      this.#children.set(step, child)
    }
    return child
  }

  build(): FieldSet {
    const children = new Map<string, FieldSet>()
    for (const [step, builder] of this.#children) {
      const set = builder.build()
      if (!set.isEmpty) children.set(step, set)
    }
    return new FieldSet(this.#members, children)
  }
}

/** A path as conflicts name it: `.spec.containers[name="c"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(stepText).join('')
}

function stepText(step: string): string {
  const rest = step.slice(2)
  if (step.startsWith('f:')) return `.${rest}`
  if (step.startsWith('v:')) return `[=${rest}]`
  if (step.startsWith('i:')) return `[${rest}]`
  const keys = JSON.parse(rest) as Record<string, unknown>
  const parts = Object.keys(keys).map(key => `${key}=${JSON.stringify(keys[key])}`)
  return `[${parts.join(',')}]`
}

/** The step to the element of a list that has these keys. */
export function keyStep(keys: Readonly<Record<string, unknown>>): string {
  const sorted: Record<string, unknown> = {}
  for (const key of Object.keys(keys).sort()) setAt(sorted, key, keys[key])
  return `k:${JSON.stringify(sorted, bigintAsNumber)}`
}

/** Fields first, then keys, values and indices; each by their text. */
function compareSteps(left: string, right: string): number {
  const difference = KINDS.indexOf(left[0]!) - KINDS.indexOf(right[0]!)
  if (difference !== 0) return difference
  return left < right ? -1 : left > right ? 1 : 0
}

const KINDS = 'fkvi'

function canonicalStep(step: string): string {
  if (/^f:/.test(step) || /^i:-?\d+$/.test(step)) return step
  if (!/^[kv]:/.test(step)) throw new TypeError(`fieldsV1: ${JSON.stringify(step)} is no step of a path`)
  const value: unknown = JSON.parse(step.slice(2))
  if (step.startsWith('v:')) return `v:${JSON.stringify(value)}`
  if (!isJsonObject(value)) throw new TypeError(`fieldsV1: ${JSON.stringify(step)} has no keys`)
  return keyStep(value)
}

function bigintAsNumber(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
