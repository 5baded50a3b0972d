import { RecentMap } from '#base/collections/recent-map.ts'
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
  #fields: FieldsV1 | undefined
  /** What {@link #write} made of the set, as a member of the one above it and otherwise. */
  #writtenAsMember: FieldsV1 | undefined
  #written: FieldsV1 | undefined
  #size: number | undefined

  constructor(members: ReadonlySet<string>, children: ReadonlyMap<string, FieldSet>) {
    this.members = members
    this.children = children
  }

  // `this`, since TypeScript 7 gives a class with private methods another name while it is being made.
  static readonly empty: FieldSet = new this(new Set(), new Map())

  /**
   * The set of these steps alone. Hot: bench/apply — most parts of objects are flat and of few shapes (a variable is a name and a value), so
   * there is one set for all that are alike.
   */
  static flat(steps: readonly string[]): FieldSet {
    if (steps.length === 0) return FieldSet.empty
    let key = ''
    // With their lengths: a step may hold any character, and must not pass for two.
    for (const step of steps) if (key.length <= MAX_SHARED_TEXT) key += `${step.length} ${step}`
    if (key.length > MAX_SHARED_TEXT) return new FieldSet(new Set(steps), NO_CHILDREN)
    let set = flatSets.get(key)
    if (!set) {
      set = new FieldSet(new Set(steps), NO_CHILDREN)
      flatSets.set(key, set)
    }
    return set
  }

  /** The set of these paths. */
  static of(...paths: readonly (readonly string[])[]): FieldSet {
    const builder = new FieldSetBuilder()
    for (const path of paths) builder.insert(path)
    return builder.build()
  }

  /** How many steps there are, at any depth. */
  get size(): number {
    if (this.#size === undefined) {
      let size = this.members.size
      for (const set of this.children.values()) size += set.size
      this.#size = size
    }
    return this.#size
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
    if (this.isEmpty || other.isEmpty) return FieldSet.empty
    return this.#with(
      step => other.members.has(step),
      (step, set) => set.intersection(other.below(step)),
    )
  }

  /** What is in this set and not in `other`; paths below a member of `other` stay. */
  difference(other: FieldSet): FieldSet {
    if (other.isEmpty || this.isEmpty) return this
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
    if (this === other) return true
    if (this.members.size !== other.members.size || this.children.size !== other.children.size) return false
    for (const step of this.members) if (!other.members.has(step)) return false
    for (const [step, set] of this.children) if (!other.children.get(step)?.equals(set)) return false
    return true
  }

  /** All paths, in order. */
  *paths(prefix: readonly string[] = []): Generator<readonly string[]> {
    for (const step of this.#steps()) {
      if (this.members.has(step)) yield [...prefix, step]
      yield* this.below(step).paths([...prefix, step])
    }
  }

  /** The form in `fieldsV1`: steps in order, `.` where a step with others below it is in the set itself. */
  toFieldsV1(): Readonly<Record<string, unknown>> {
    const fields = this.#fields ?? shared(this.#write(false))
    this.#fields = fields
    if (this.size <= MAX_READ_STEPS) read.set(fields, this)
    return fields
  }

  /** Reads {@link toFieldsV1}'s form; throws where it is none. */
  static fromFieldsV1(fields: unknown): FieldSet {
    if (!isJsonObject(fields)) throw new TypeError('fieldsV1 is no object')
    let set = read.get(fields)
    if (!set) {
      set = FieldSet.#read(fields)
      set.#fields = fields
      if (set.size <= MAX_READ_STEPS) read.set(fields, set)
    }
    return set
  }

  static #read(fields: FieldsV1): FieldSet {
    const members = new Set<string>()
    const children = new Map<string, FieldSet>()
    for (const key of Object.keys(fields)) {
      if (key === '.') continue
      const step = canonicalStep(key)
      const value = fields[key]
      if (!isJsonObject(value)) throw new TypeError(`fieldsV1: what is below ${key} is no object`)
      const below = FieldSet.#read(value)
      if (below.isEmpty || Object.hasOwn(value, '.')) members.add(step)
      if (!below.isEmpty) children.set(step, below)
    }
    return new FieldSet(members, children)
  }

  #write(isMember: boolean): FieldsV1 {
    const known = isMember ? this.#writtenAsMember : this.#written
    if (known) return known
    const fields: Record<string, unknown> = isMember ? { '.': NO_FIELDS } : {}
    for (const step of this.#steps()) {
      const below = this.children.get(step)
      setAt(fields, step, below ? below.#write(this.members.has(step)) : NO_FIELDS)
    }
    if (isMember) this.#writtenAsMember = fields
    else this.#written = fields
    return fields
  }

  /** All steps in order: fields, indices, keys, values. */
  #steps(): readonly string[] {
    const steps = [...this.members]
    for (const step of this.children.keys()) if (!this.members.has(step)) steps.push(step)
    return sorted(steps)
  }

  #with(isKept: (step: string) => boolean, below: (step: string, set: FieldSet) => FieldSet): FieldSet {
    const members = new Set<string>()
    for (const step of this.members) if (isKept(step)) members.add(step)
    let isSame = members.size === this.members.size
    const children = new Map<string, FieldSet>()
    for (const [step, set] of this.children) {
      const next = below(step, set)
      if (next !== set) isSame = false
      if (!next.isEmpty) children.set(step, next)
    }
    return isSame ? this : new FieldSet(members, children)
  }
}

type FieldsV1 = Readonly<Record<string, unknown>>

// Hot: bench/apply — a write changes few of an object's owners; the sets of the others are neither read nor written anew. Both forms are
// never changed once they are made.
const read = new RecentMap<FieldsV1, FieldSet>(1024)
/** What is larger is not kept for others: objects that somebody makes up must not fill the memory. */
const MAX_READ_STEPS = 1000
const MAX_SHARED_TEXT = 16 * 1024
const MAX_SHARED_NAME = 256

/**
 * The one value for all `fieldsV1` that say the same. Objects made from one template have the same owners, and in the memory of a server
 * with many pods their sets of fields would be half of each.
 */
export function shared(fields: FieldsV1): FieldsV1 {
  return sharedWithText(fields).fields
}

/** As {@link shared}, with its JSON; '' where that is too long to be kept. */
export function sharedWithText(fields: FieldsV1): { readonly fields: FieldsV1; readonly text: string } {
  let text: string
  try {
    text = JSON.stringify(fields)
  } catch {
    // Nested beyond what the engine's stack walks.
    return { fields, text: '' }
  }
  if (text.length > MAX_SHARED_TEXT) return { fields, text: '' }
  const known = sharedByText.get(text)
  if (known) return { fields: known, text }
  sharedByText.set(text, fields)
  return { fields, text }
}

const NO_FIELDS: FieldsV1 = Object.freeze({})
const NO_CHILDREN: ReadonlyMap<string, FieldSet> = new Map()
const flatSets = new RecentMap<string, FieldSet>(4096)
const fieldSteps = new RecentMap<string, string>(4096)

/** The step to a field of an object. */
export function fieldStep(name: string): string {
  let step = fieldSteps.get(name)
  if (step === undefined) {
    step = `f:${name}`
    if (name.length <= MAX_SHARED_NAME) fieldSteps.set(name, step)
  }
  return step
}

const sharedByText = new RecentMap<string, FieldsV1>(2048)

/** Sorts in place. Hot: bench/apply — there are few, often in order already, and Array.sort allocates. */
function sorted(steps: string[]): string[] {
  if (steps.length > 24) return steps.sort()
  for (let index = 1; index < steps.length; index++) {
    const step = steps[index]!
    let at = index
    while (at > 0 && steps[at - 1]! > step) {
      steps[at] = steps[at - 1]!
      at--
    }
    steps[at] = step
  }
  return steps
}

/** Collects paths into a {@link FieldSet}. */
export class FieldSetBuilder {
  readonly #members = new Set<string>()
  readonly #children = new Map<string, FieldSetBuilder>()
  /** Sets that are complete already. */
  readonly #attached = new Map<string, FieldSet>()

  insert(path: readonly string[]): void {
    const step = path.at(-1)
    if (step !== undefined) this.at(path).add(step)
  }

  /** Puts `path` in, and `below` behind it. */
  attach(path: readonly string[], below: FieldSet): void {
    const step = path.at(-1)
    if (step === undefined) return
    const at = this.at(path)
    at.add(step)
    if (!below.isEmpty) at.#attached.set(step, below)
  }

  /** The builder that holds the last step of `path`. */
  at(path: readonly string[]): FieldSetBuilder {
    let builder: FieldSetBuilder = this
    for (let index = 0; index < path.length - 1; index++) builder = builder.below(path[index]!)
    return builder
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
    if (this.#members.size + this.#children.size === 0) return FieldSet.empty
    const children = new Map(this.#attached)
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

/** The step to the element of a list whose only key, a plain word, has this value. */
export function namedStep(key: string, value: string): string {
  return `k:{"${key}":${JSON.stringify(value)}}`
}

/** The step to the element of a list that has these keys. */
export function keyStep(keys: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(keys)
  const only = names[0]
  const value = only === undefined ? undefined : keys[only]
  if (names.length === 1 && only !== undefined && /^\w+$/.test(only) && typeof value === 'string') return namedStep(only, value)
  const inOrder: Record<string, unknown> = {}
  for (const key of names.sort()) setAt(inOrder, key, keys[key])
  return `k:${JSON.stringify(inOrder, bigintAsNumber)}`
}

function canonicalStep(step: string): string {
  if (step.startsWith('f:') || /^i:-?\d+$/.test(step)) return step
  if (!/^[kv]:/.test(step)) throw new TypeError(`fieldsV1: ${JSON.stringify(step)} is no step of a path`)
  const value: unknown = JSON.parse(step.slice(2))
  if (step.startsWith('v:')) return `v:${JSON.stringify(value)}`
  if (!isJsonObject(value)) throw new TypeError(`fieldsV1: ${JSON.stringify(step)} has no keys`)
  return keyStep(value)
}

function bigintAsNumber(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
