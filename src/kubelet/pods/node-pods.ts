import type { Informer } from '#client/informers/informer.ts'
import { isMirror } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { RuntimeEvent } from '../runtime/runtime.ts'
import { label } from './container-labels.ts'
import { removeOrphans } from './orphans.ts'
import type { PodHost } from './pod-host.ts'
import { podKeyOf, uidOf } from './pod-names.ts'
import { PodWorker } from './pod-worker.ts'

/** All pods of a node: a worker for each that the API or the manifest directory wants here. */
export class NodePods {
  readonly #host: PodHost
  readonly #workers = new Map<string, PodWorker>()
  readonly #ownerOf = new Map<string, string>()
  /** A pod of the same name, but another uid, waits until the one before is gone. */
  readonly #successors = new Map<string, Pod>()
  #static = new Map<string, Pod>()

  constructor(host: PodHost) {
    this.#host = host
  }

  /** Follows the pods that the API has for this node. */
  follow(informer: Informer<Pod>): Disposable {
    return informer.onChange((pod, old) => {
      if (old && (!pod || uidOf(pod) !== uidOf(old)) && !isMirror(old)) this.#worker(uidOf(old))?.remove()
      if (pod && !isMirror(pod)) this.#want(pod)
    })
  }

  /** Makes the static pods of the node be exactly these. */
  setStatic(pods: readonly Pod[]): void {
    const wanted = new Map(pods.map(pod => [uidOf(pod), pod]))
    const gone = [...this.#static.values()].filter(pod => !wanted.has(uidOf(pod)))
    this.#static = wanted
    for (const pod of gone) this.#worker(uidOf(pod))?.remove()
    for (const pod of pods) this.#want(pod)
  }

  staticPods(): Iterable<Pod> {
    return this.#static.values()
  }

  /** The static pod of that namespace and name. */
  staticPod(key: string): Pod | undefined {
    for (const pod of this.#static.values()) if (podKeyOf(pod) === key) return pod
    return undefined
  }

  /** Wakes the pod that a container or sandbox belongs to. */
  onRuntimeEvent(event: RuntimeEvent): void {
    if (event.type === 'lost') {
      this.relist().catch(error => this.#host.log.verbose('the runtime could not be asked for all it has', { error: error.message }))
      return
    }
    const owner = this.#ownerOf.get(event.id) ?? this.#find(event.id)
    if (owner !== undefined) this.#worker(owner)?.wake()
    else for (const worker of this.#workers.values()) if (worker.isBusy) worker.wake() // It may be one that is being made just now.
  }

  wake(podUid: string): void {
    this.#worker(podUid)?.wake()
  }

  /** Asks the runtime for all it has, and wakes the pods that this is news for: events may have been lost. */
  async relist(): Promise<void> {
    const { runtime } = this.#host
    const [sandboxes, containers] = await Promise.all([runtime.listSandboxes(), runtime.listContainers()])
    const seen = new Map<string, string[]>()
    const note = (uid: string, what: string) => {
      const known = seen.get(uid)
      if (known) known.push(what)
      else seen.set(uid, [what])
    }
    for (const { id, metadata, ready } of sandboxes) note(metadata.uid, `${id} ${ready}`)
    for (const { id, labels, state } of containers) note(labels[label.podUid] ?? '', `${id} ${state}`)
    for (const [uid, worker] of this.#workers) {
      const known = [
        ...worker.state.sandboxes.map(({ id, ready }) => `${id} ${ready}`),
        ...worker.state.containers.map(({ id, state }) => `${id} ${state}`),
      ]
      if (known.sort().join() !== (seen.get(uid) ?? []).sort().join()) worker.wake()
    }
  }

  /** The workers, by uid. */
  workers(): ReadonlyMap<string, PodWorker> {
    return this.#workers
  }

  find(namespace: string, name: string, uid?: string): PodWorker | undefined {
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod
      if (metadata.namespace === namespace && metadata.name === name && (uid === undefined || uid === metadata.uid)) return worker
    }
    return undefined
  }

  /** The pods that take up room here. */
  active(): Pod[] {
    return [...this.#workers.values()].filter(worker => !worker.hasEnded).map(({ pod }) => pod)
  }

  /** Clears away what is left of pods that nobody wants, and of containers long ended. */
  async collectGarbage(): Promise<void> {
    await removeOrphans(this.#host, uid => this.#workers.has(uid))
    for (const worker of this.#workers.values()) await worker.collectGarbage()
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workers.values()].map(worker => worker.stop()))
  }

  #worker(uid: string): PodWorker | undefined {
    return this.#workers.get(uid)
  }

  #want(pod: Pod): void {
    const worker = this.#worker(uidOf(pod))
    if (worker) {
      worker.update(pod)
      return
    }
    const sameName = [...this.#workers.values()].some(other => podKeyOf(other.pod) === podKeyOf(pod))
    if (sameName && this.#static.has(uidOf(pod))) {
      this.#successors.set(podKeyOf(pod), pod)
      return
    }
    const uid = uidOf(pod)
    this.#workers.set(uid, new PodWorker(this.#host, pod, () => this.#forget(uid, podKeyOf(pod))))
  }

  #forget(uid: string, key: string): void {
    this.#workers.delete(uid)
    for (const [id, owner] of this.#ownerOf) if (owner === uid) this.#ownerOf.delete(id)
    const successor = this.#successors.get(key)
    this.#successors.delete(key)
    if (successor && this.#static.has(uidOf(successor))) this.#want(successor)
  }

  #find(id: string): string | undefined {
    for (const [uid, { state }] of this.#workers) {
      const owns = state.containers.some(container => container.id === id) || state.sandboxes.some(sandbox => sandbox.id === id)
      if (!owns) continue
      this.#ownerOf.set(id, uid)
      return uid
    }
    return undefined
  }
}
