/** What the last runs of a probe add up to. */
export type ProbeResult = 'success' | 'failure'
export type ProbeKind = 'liveness' | 'readiness' | 'startup'

/** The present results of all probes, by container id. */
export class ProbeResults {
  readonly #results = new Map<string, ProbeResult>()

  get(containerId: string, kind: ProbeKind): ProbeResult | undefined {
    return this.#results.get(`${kind} ${containerId}`)
  }

  /** Notes a result; true if it is another than before. */
  set(containerId: string, kind: ProbeKind, result: ProbeResult): boolean {
    const key = `${kind} ${containerId}`
    if (this.#results.get(key) === result) return false
    this.#results.set(key, result)
    return true
  }

  remove(containerId: string): void {
    for (const kind of ['liveness', 'readiness', 'startup']) this.#results.delete(`${kind} ${containerId}`)
  }
}
