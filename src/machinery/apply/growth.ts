import type { FieldSet } from './field-set.ts'

/** How many places are remembered before all are forgotten: objects that somebody makes up must not fill the memory. */
const MAX_PLACES = 16_384
/** How many ways from one place may have the same name. */
const MAX_ALIKE = 64
/** How many names are remembered at one place: where there are more, they are addresses and the like, which hardly come twice. */
const MAX_NAMES = 256
/** What is put together of more steps than this, or of longer ones, is not remembered. */
export const MAX_GROWN_STEPS = 256
export const MAX_GROWN_TEXT = 256

let places = 0
let era = 0

/** What a step is: in the set itself or only on the way to others; named as its place says, or written out. */
export const ON_THE_WAY = 0
export const MEMBER = 1
export const WRITTEN_OUT = 2

/**
 * A set of fields that is being put together, one step after the other. The same steps lead to the same place, and so to the very same set:
 * objects made from one template have the same fields, and what is known of their set (its `fieldsV1`, and the text of that) is known of
 * all of them.
 *
 * Hot: bench/apiserver — the way that was last taken from a place is tried first, so walking through an object like the one before is a few
 * comparisons a field and allocates nothing.
 */
export class Growth {
  readonly before: Growth | undefined
  readonly step: string
  readonly sort: number
  /** What lies below the step; undefined for nothing. */
  readonly below: FieldSet | undefined
  /** The set of all steps up to here, once it was asked for. */
  set: FieldSet | undefined
  /** Whether those who come later get here again, to the same set; else this place, and what follows it, is this walk's own. */
  readonly isShared: boolean
  readonly #start: GrowthStart
  readonly #name: string
  #last: Growth | undefined
  #ways: Map<string, Growth[]> | undefined

  constructor(start: GrowthStart, before?: Growth, name = '', sort = ON_THE_WAY, below?: FieldSet, isShared = true) {
    this.#start = start
    this.isShared = isShared
    this.before = before
    this.#name = name
    this.sort = sort
    this.below = below
    this.step = before === undefined || (sort & WRITTEN_OUT) !== 0 ? name : start.stepOf(name)
  }

  /** The place one step further; `sort` is of the words above. */
  take(name: string, sort: number, below: FieldSet | undefined): Growth {
    const last = this.#last
    if (last !== undefined && last.#name === name && last.below === below && last.sort === sort) return last
    if (!this.isShared || below?.isShared === false) return new Growth(this.#start, this, name, sort, below, false)
    const next = this.#find(name, sort, below)
    if (next.isShared) this.#last = next
    return next
  }

  #find(name: string, sort: number, below: FieldSet | undefined): Growth {
    this.#ways ??= new Map()
    let alike = this.#ways.get(name)
    if (!alike) {
      if (this.#ways.size >= MAX_NAMES) return new Growth(this.#start, this, name, sort, below, false)
      alike = []
      this.#ways.set(name, alike)
    }
    for (const way of alike) if (way.below === below && way.sort === sort) return way
    const way = new Growth(this.#start, this, name, sort, below)
    if (alike.length >= MAX_ALIKE) alike.shift()
    alike.push(way)
    if (++places > MAX_PLACES) {
      places = 0
      era++
    }
    return way
  }
}

/** Where the sets of one sort of value begin. */
export class GrowthStart {
  readonly stepOf: (name: string) => string
  #first: Growth
  #era = era

  /** `stepOf` makes a step of a name. */
  constructor(stepOf: (name: string) => string) {
    this.stepOf = stepOf
    this.#first = new Growth(this)
  }

  /** The empty beginning. */
  get first(): Growth {
    if (this.#era !== era) {
      this.#era = era
      this.#first = new Growth(this)
    }
    return this.#first
  }
}
