import type { QueuedPod } from '../framework/plugin.ts'
import { PodHeap } from './pod-heap.ts'

/** A pod that was tried lately. */
export interface BackingOff extends QueuedPod {
  /** Until when, in monotonic milliseconds. */
  backoffUntil: number
  /** Its attempt failed for reasons that are not its own, such as an API server that could not be reached. */
  readonly failed: boolean
}

/**
 * Pods that wait before they are tried again. Those that were refused are ordered by importance within each second, and may be taken out
 * before their time (KEP-5142: a scheduler with nothing better to do need not wait); those that failed may not, as what failed them needs
 * the rest.
 */
export class Backoff<T extends BackingOff> {
  readonly #refused: PodHeap<T>
  readonly #failed = new PodHeap<T>((left, right) => left.backoffUntil - right.backoffUntil)

  constructor(compare: (left: T, right: T) => number) {
    this.#refused = new PodHeap((left, right) => left.backoffUntil - right.backoffUntil || compare(left, right))
  }

  add(entry: T): void {
    if (!entry.failed) entry.backoffUntil = Math.ceil(entry.backoffUntil / WINDOW_MS) * WINDOW_MS
    const part = entry.failed ? this.#failed : this.#refused
    part.push(entry)
  }

  remove(entry: T): void {
    this.#refused.remove(entry)
    this.#failed.remove(entry)
  }

  /** The pod to try next although its time has not come; undefined if there is none. It stays. */
  get next(): T | undefined {
    return this.#refused.peek()
  }

  /** A pod whose time is over. It stays. */
  over(now: number): T | undefined {
    return [this.#refused.peek(), this.#failed.peek()].find(entry => entry !== undefined && entry.backoffUntil <= now)
  }

  /** When the next is over, in monotonic milliseconds; infinite if there is none. */
  get nextOverAt(): number {
    return Math.min(...[this.#refused.peek(), this.#failed.peek()].map(entry => entry?.backoffUntil ?? Number.POSITIVE_INFINITY))
  }
}

/** Refused pods leave together with all of the same second, so that the most important one goes first. */
const WINDOW_MS = 1_000
