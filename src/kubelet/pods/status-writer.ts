import { PassingMap } from '#base/collections/passing-map.ts'
import type { Logger } from '#base/log/logger.ts'
import { type Clock, sleep } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { PodStatus } from '#kinds/core/v1/pod-status.ts'
import { equal } from '#machinery/kind/draft.ts'
import { isConflict, isInvalid, isNotFound } from '#machinery/status/status-error.ts'
import { namespaceOf, podKeyOf, podNameOf, uidOf } from './pod-names.ts'

interface Entry {
  pod: Pod
  wanted: PodStatus
  /** What the API has, as far as is known. */
  written: PodStatus
  writing: Promise<void> | undefined
}

const FIRST_RETRY_MS = 200
const RETRY_LIMIT_MS = 10_000

/** Tells the API what became of pods: at once, only what changed, one request per pod at a time, again until it was heard. */
export class StatusWriter {
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Logger
  readonly #apiPodOf: (pod: Pod) => Pod | undefined
  readonly #forgets: boolean
  readonly #entries = new PassingMap<string, Entry>()
  readonly #stop = new AbortController()

  /**
   * `apiPodOf` gives the pod as the API knows it: for a static pod that is its mirror. With `forgets`, what was heard is looked up there when
   * there is something else to say, instead of being kept: for those who speak once of very many pods.
   */
  constructor(options: { client: Client; clock: Clock; log: Logger; apiPodOf: (pod: Pod) => Pod | undefined; forgets?: boolean }) {
    this.#client = options.client
    this.#clock = options.clock
    this.#log = options.log
    this.#apiPodOf = options.apiPodOf
    this.#forgets = options.forgets ?? false
  }

  set(pod: Pod, status: PodStatus): void {
    const uid = uidOf(pod)
    const entry = this.#entries.get(uid)
    if (entry) {
      entry.pod = pod
      entry.wanted = status
    } else this.#entries.set(uid, { pod, wanted: status, written: this.#apiPodOf(pod)?.status ?? {}, writing: undefined })
    this.#write(uid)
  }

  /** The mirror of a static pod was made anew: everything is to be told again. */
  rewrite(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry) return
    entry.written = this.#apiPodOf(entry.pod)?.status ?? {}
    this.#write(uid)
  }

  /** Resolves once the API has heard what was last said of the pod, or will not hear it any more. */
  async flushed(uid: string): Promise<void> {
    await this.#entries.get(uid)?.writing
  }

  forget(uid: string): void {
    this.#entries.delete(uid)
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('the kubelet stops'))
    await Promise.all([...this.#entries.values()].flatMap(entry => entry.writing ?? []))
  }

  #write(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry || entry.writing || this.#stop.signal.aborted || equal(entry.wanted, entry.written)) return
    entry.writing = this.#writeUntilHeard(uid, entry).finally(() => {
      entry.writing = undefined
      if (this.#forgets && entry.wanted === entry.written && this.#entries.get(uid) === entry) this.#entries.delete(uid)
    })
  }

  async #writeUntilHeard(uid: string, entry: Entry): Promise<void> {
    let delayMs = FIRST_RETRY_MS
    while (!equal(entry.wanted, entry.written) && !this.#stop.signal.aborted && this.#entries.get(uid) === entry) {
      const status = entry.wanted
      const target = this.#apiPodOf(entry.pod)
      if (!target) return
      try {
        const body = { metadata: { uid: uidOf(target) }, status: statusPatch(entry.written, status) }
        const name = { namespace: namespaceOf(target), name: podNameOf(target) }
        await this.#client.patch(Pod, name, { type: 'strategic', body }, { subresource: 'status', signal: this.#stop.signal })
        entry.written = status
        delayMs = FIRST_RETRY_MS
      } catch (error) {
        if (this.#stop.signal.aborted || isNotFound(error) || isConflict(error)) return
        if (isInvalid(error)) {
          this.#log.error('the API refuses the status of a pod', { pod: podKeyOf(entry.pod), error: (error as Error).message })
          return
        }
        this.#log.verbose('the status of a pod could not be written; trying again', { pod: podKeyOf(entry.pod), error })
        await sleep(this.#clock, delayMs, this.#stop.signal).catch(() => undefined)
        delayMs = Math.min(2 * delayMs, RETRY_LIMIT_MS)
      }
    }
  }
}

/** The strategic merge patch that turns one status into another. Addresses are replaced as a whole, since merging would keep the old ones. */
export function statusPatch(from: PodStatus, to: PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = {}
  const before = from as Readonly<Record<string, unknown>>
  const after = to as Readonly<Record<string, unknown>>
  for (const key of Object.keys(before)) if (after[key] === undefined && OWNED.has(key)) patch[key] = null
  for (const [key, value] of Object.entries(after)) {
    if (value === undefined || equal(value, before[key])) continue
    patch[key] = REPLACED.has(key) && Array.isArray(value) && before[key] !== undefined ? [{ $patch: 'replace' }, ...value] : value
  }
  return patch
}

/** What the kubelet says and takes back; the rest of a status belongs to others. */
const OWNED = new Set(['podIP', 'podIPs', 'reason', 'message', 'initContainerStatuses', 'containerStatuses', 'ephemeralContainerStatuses'])
const REPLACED = new Set(['podIPs', 'hostIPs'])
