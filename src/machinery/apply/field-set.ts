import { RecentMap } from '#base/collections/recent-map.ts'
import { isJsonObject, setAt } from '../patch/json-object.ts'
import { type FieldsV1, kept, noteCanonical, shared } from './fields-v1.ts'
import { type Growth, GrowthStart, MAX_GROWN_STEPS, MAX_GROWN_TEXT, MEMBER, ON_THE_WAY } from './growth.ts'
import { canonicalStep } from './steps.ts'

/**
 * A set of paths into an object, as `managedFields` keeps them. A step is text: `f:name` is a field, `k:{"name":"c"}` the element of a list
 * with these keys, `v:"x"` the element of a set, `i:0` an index. Sets are never changed; operations answer with new ones and share what they can.
 */
export class FieldSet {
  /** Steps that are in the set themselves. */
  readonly members: ReadonlySet<string>
  /** What the set holds below a step; never an empty set. */
  readonly children: ReadonlyMap<string, FieldSet>
  /** False for a set that is known to be nobody else's: of what hardly comes twice. */
  readonly isShared: boolean
  #fields: FieldsV1 | undefined
  /** What {@link #write} made of the set, as a member of the one above it and otherwise. */
  #writtenAsMember: FieldsV1 | undefined
  #written: FieldsV1 | undefined
  #size: number | undefined

  constructor(members: ReadonlySet<string>, children: ReadonlyMap<string, FieldSet>, isShared = true) {
    this.members = members
    this.children = children
    this.isShared = isShared
  }

  // `this`, since TypeScript 7 gives a class with private methods another name while it is being made.
  static readonly empty: FieldSet = new this(new Set(), new Map())

  /** The set of these steps: that of all who have the same, unless it is large. */
  static holding(members: ReadonlySet<string>, children: ReadonlyMap<string, FieldSet>): FieldSet {
    if (members.size + children.size > MAX_GROWN_STEPS) return new FieldSet(members, children)
    let growth = START.first
    for (const step of members) {
      if (step.length > MAX_GROWN_TEXT) return new FieldSet(members, children)
      growth = growth.take(step, MEMBER, children.get(step))
    }
    for (const [step, set] of children) {
      if (step.length > MAX_GROWN_TEXT) return new FieldSet(members, children)
      if (!members.has(step)) growth = growth.take(step, ON_THE_WAY, set)
    }
    return FieldSet.grown(growth)
  }

  /** The set at the end of a way. Of a step that was taken twice the first counts. */
  static grown(growth: Growth): FieldSet {
    growth.set ??= FieldSet.#grown(growth)
    return growth.set
  }

  static #grown(growth: Growth): FieldSet {
    const way: Growth[] = []
    for (let at = growth; at.before; at = at.before) way.push(at)
    if (way.length === 0) return FieldSet.empty
    const members = new Set<string>()
    let children: Map<string, FieldSet> | undefined
    for (const { step, sort, below } of way.reverse()) {
      if (members.has(step)) continue
      if (sort & MEMBER) members.add(step)
      if (!below) continue
      children ??= new Map()
      children.set(step, below)
    }
    return new FieldSet(members, children ?? NO_CHILDREN, growth.isShared)
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

  /** This very set, if there is nothing more in `other`. */
  union(other: FieldSet): FieldSet {
    if (this === other || other.isEmpty) return this
    if (this.isEmpty) return other
    let members: Set<string> | undefined
    for (const step of other.members) {
      if (this.members.has(step)) continue
      members ??= new Set(this.members)
      members.add(step)
    }
    let children: Map<string, FieldSet> | undefined
    for (const [step, set] of other.children) {
      const own = this.children.get(step)
      const next = own ? own.union(set) : set
      if (next === own) continue
      children ??= new Map(this.children)
      children.set(step, next)
    }
    return members || children ? FieldSet.holding(members ?? this.members, children ?? this.children) : this
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
    let fields = this.#fields
    if (!fields) {
      fields = this.isShared ? shared(this.#write(false)) : kept(this.#write(false))
      this.#fields = fields
      if (this.isShared) noteCanonical(fields)
    }
    if (this.isShared && this.size <= MAX_READ_STEPS && read.get(fields) !== this) read.set(fields, this)
    return fields
  }

  /** Reads {@link toFieldsV1}'s form; throws where it is none. */
  static fromFieldsV1(fields: unknown): FieldSet {
    if (!isJsonObject(fields)) throw new TypeError('fieldsV1 is no object')
    let set = read.get(fields)
    if (!set) {
      wasCanonical = true
      set = FieldSet.#read(fields)
      if (wasCanonical) noteCanonical(fields)
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
      if (step !== key) wasCanonical = false
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
    let members: Set<string> | undefined
    for (const step of this.members) {
      if (isKept(step)) continue
      members ??= new Set(this.members)
      members.delete(step)
    }
    let children: Map<string, FieldSet> | undefined
    for (const [step, set] of this.children) {
      const next = below(step, set)
      if (next === set) continue
      children ??= new Map(this.children)
      if (next.isEmpty) children.delete(step)
      else children.set(step, next)
    }
    return members || children ? FieldSet.holding(members ?? this.members, children ?? this.children) : this
  }
}

// Hot: bench/apply — a write changes few of an object's owners; the sets of the others are neither read nor written anew. Both forms are
// never changed once they are made.
const read = new RecentMap<FieldsV1, FieldSet>(1024)
/** Of what is being read. */
let wasCanonical = true
/** What is larger is not kept for others: objects that somebody makes up must not fill the memory. */
const MAX_READ_STEPS = 1000

const NO_FIELDS: FieldsV1 = Object.freeze({})
const NO_MEMBERS: ReadonlySet<string> = new Set()
const NO_CHILDREN: ReadonlyMap<string, FieldSet> = new Map()

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
  // Most hold a step or two, and the root's of what a write removes nothing at all.
  #members: Set<string> | undefined
  #children: Map<string, FieldSetBuilder> | undefined
  /** Sets that are complete already. */
  #attached: Map<string, FieldSet> | undefined

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
    if (below.isEmpty) return
    at.#attached ??= new Map()
    at.#attached.set(step, below)
  }

  /** The builder that holds the last step of `path`. */
  at(path: readonly string[]): FieldSetBuilder {
    let builder: FieldSetBuilder = this
    for (let index = 0; index < path.length - 1; index++) builder = builder.below(path[index]!)
    return builder
  }

  add(step: string): void {
    this.#members ??= new Set()
    this.#members.add(step)
  }

  below(step: string): FieldSetBuilder {
    this.#children ??= new Map()
    let child = this.#children.get(step)
    if (!child) {
      child = new FieldSetBuilder()
      this.#children.set(step, child)
    }
    return child
  }

  build(): FieldSet {
    if (!this.#members && !this.#children) return FieldSet.empty
    let children = this.#attached
    for (const [step, builder] of this.#children ?? NOTHING) {
      const set = builder.build()
      if (set.isEmpty) continue
      children ??= new Map()
      children.set(step, set)
    }
    return FieldSet.holding(this.#members ?? NO_MEMBERS, children ?? NO_CHILDREN)
  }
}

const NOTHING: ReadonlyMap<string, FieldSetBuilder> = new Map()

/** Of sets whose steps are written out. */
const START = new GrowthStart(step => step)
