import type { Verdict } from './verdict.ts'

/** The last verdicts, one per pod; the oldest is dropped for a new one. */
export class Verdicts {
  readonly #limit: number
  readonly #byPod = new Map<string, Verdict>()

  constructor(limit = 2_000) {
    this.#limit = limit
  }

  keep(verdict: Verdict): void {
    const key = `${verdict.pod.namespace}/${verdict.pod.name}`
    this.#byPod.delete(key)
    this.#byPod.set(key, verdict)
    if (this.#byPod.size > this.#limit) this.#byPod.delete(this.#byPod.keys().next().value!)
  }

  of(namespace: string, name: string): Verdict | undefined {
    return this.#byPod.get(`${namespace}/${name}`)
  }

  /** All that are kept, the latest last. */
  list(): Verdict[] {
    return [...this.#byPod.values()]
  }
}
