import type { Logger } from '#base/log/logger.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informers/informer.ts'
import { isMirror, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { DraftObjectOf } from '#machinery/kind/kind.ts'
import { isConflict, isNotFound } from '#machinery/status/status-error.ts'
import { namespaceOf, podKeyOf, podNameOf, uidOf } from './pod-names.ts'
import { isMirrorOf, mirrorOf } from './static-pods.ts'

/** The kubelet's dealings with pod objects: deleting those that have ended, keeping a mirror of each static one. */
export class ApiPods {
  readonly #client: Client
  readonly #informer: Informer<Pod>
  readonly #log: Logger
  readonly #nodeUid: () => string | undefined
  readonly #creating = new Set<string>()

  constructor(options: { client: Client; informer: Informer<Pod>; log: Logger; nodeUid: () => string | undefined }) {
    this.#client = options.client
    this.#informer = options.informer
    this.#log = options.log
    this.#nodeUid = options.nodeUid
  }

  /** The object in the API that stands for a pod: the pod itself, or a static pod's mirror. */
  objectOf(pod: Pod): Pod | undefined {
    const found = this.#informer.get(namespaceOf(pod), podNameOf(pod))
    if (!found) return undefined
    return uidOf(found) === uidOf(pod) || isMirrorOf(found, pod) ? found : undefined
  }

  /** Removes a pod's object, if it is still that one. */
  async delete(pod: Pod): Promise<void> {
    const object = this.objectOf(pod)
    if (!object) return
    try {
      await this.#client.delete(Pod, object, { gracePeriodSeconds: 0, preconditions: { uid: uidOf(object) } })
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) throw error
    }
  }

  /** Makes every static pod have its mirror, and no mirror be without its pod. */
  async reconcileMirrors(statics: readonly Pod[]): Promise<void> {
    const byKey = new Map(statics.map(pod => [podKeyOf(pod), pod]))
    for (const object of this.#informer.list()) {
      if (!isMirror(object)) continue
      const pod = byKey.get(podKeyOf(object))
      if (pod && isMirrorOf(object, pod) && !isTerminating(object)) continue
      const options = { gracePeriodSeconds: 0, preconditions: { uid: uidOf(object) } }
      await this.#client.delete(Pod, object, options).catch(error => this.#complain('deleted', object, error))
    }
    for (const pod of statics) await this.#createMirror(pod)
  }

  async #createMirror(pod: Pod): Promise<void> {
    const key = podKeyOf(pod)
    if (this.#informer.get(namespaceOf(pod), podNameOf(pod)) || this.#creating.has(key)) return
    this.#creating.add(key)
    try {
      await this.#client.create(Pod, mirrorOf(pod, this.#nodeUid()) as unknown as DraftObjectOf<typeof Pod>)
    } catch (error) {
      this.#complain('created', pod, error as Error)
    } finally {
      this.#creating.delete(key)
    }
  }

  #complain(done: string, pod: Pod, error: Error): void {
    if (!isNotFound(error) && !isConflict(error))
      this.#log.warn(`a mirror pod could not be ${done}`, { pod: podKeyOf(pod), error: error.message })
  }
}
