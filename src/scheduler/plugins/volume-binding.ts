import { type Clock, sleep } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informer } from '#client/informers/informer.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { SchedulingCycle } from '../framework/scheduling-cycle.ts'
import type { PodClaim } from '../volumes/pod-claims.ts'
import { type ClaimPlan, classOf, isReachable, planClaims, SELECTED_NODE } from '../volumes/volume-match.plan.ts'
import type { VolumeView } from '../volumes/volume-view.ts'

export interface VolumeBindingOptions {
  readonly client: Client
  readonly clock: Clock
  readonly volumes: VolumeView
  /** Tells when a claim changes, while its binding is waited for. */
  readonly claims: Pick<Informer<PersistentVolumeClaim>, 'get' | 'watchKey'>
  readonly bindTimeoutMs: number
  /** Told of each pod whose volumes could not be bound. */
  failed?(): void
}

const NAME = 'VolumeBinding'
const refusal = (reason: string): Refusal => ({ plugin: NAME, code: 'unresolvable', reasons: [reason] })
const UNBOUND_IMMEDIATE = refusal('pod has unbound immediate PersistentVolumeClaims')
const GONE_VOLUME = refusal('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')
const NODE_CONFLICT = refusal('node(s) had volume node affinity conflict')
const NO_VOLUME = refusal("node(s) didn't find available persistent volumes to bind")
const NO_SPACE = refusal('node(s) did not have enough free storage')

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'

interface State {
  readonly bound: readonly PersistentVolumeClaim[]
  /** They get a volume once the pod has a node. */
  readonly waiting: readonly PersistentVolumeClaim[]
  plan?: ClaimPlan
}

/**
 * Places a pod where its volumes are or can be. Claims that wait for a first consumer get a volume here, or the node at which one is to
 * be made; the pod is bound once they have.
 */
export function volumeBinding(options: VolumeBindingOptions): SchedulerPlugin {
  const { volumes } = options
  /** Volumes chosen for a claim whose binding is not seen yet. */
  const taken = new Set<string>()

  const bindClaims = async (cycle: SchedulingCycle, plan: ClaimPlan, node: NodeInfo, signal: AbortSignal) => {
    try {
      await askForVolumes(plan, node, options, signal)
      await untilBound([...plan.bind.map(({ claim }) => claim), ...plan.provision], node, options, signal)
    } catch (error) {
      if (!signal.aborted) options.failed?.()
      throw error
    }
    release(cycle, taken)
  }

  return {
    name: NAME,
    wakesOn: ['node added', 'node labels changed', 'volumes changed'],
    preFilter({ pod, info, state }) {
      if (info.claims.length === 0) return { skip: true }
      const sorted = sortClaims(pod, info.claims, volumes)
      if ('code' in sorted) return { refusal: sorted }
      state.set(NAME, sorted)
      return undefined
    },
    filter({ state }, { node }) {
      const { bound, waiting } = state.get(NAME) as State
      for (const { spec } of bound) {
        const volume = volumes.volume(spec.volumeName!)
        if (!volume) return GONE_VOLUME
        if (!isReachable(volume, node!)) return NODE_CONFLICT
      }
      if (waiting.length === 0) return undefined
      const plan = planClaims(waiting, node!, volumes, taken)
      return plan === 'no volume' ? NO_VOLUME : plan === 'no space' ? NO_SPACE : undefined
    },
    reserve({ state }, { node }) {
      const known = state.get(NAME) as State | undefined
      if (!known || known.waiting.length === 0) return undefined
      const plan = planClaims(known.waiting, node!, volumes, taken)
      if (typeof plan === 'string') return plan === 'no space' ? NO_SPACE : NO_VOLUME
      known.plan = plan
      for (const { volume } of plan.bind) taken.add(volume.metadata.name!)
      return undefined
    },
    unreserve: cycle => release(cycle, taken),
    preBind(cycle, node, signal) {
      const { plan } = (cycle.state.get(NAME) as State | undefined) ?? {}
      return plan && bindClaims(cycle, plan, node, signal)
    },
  }
}

function release({ state }: SchedulingCycle, taken: Set<string>): void {
  const { plan } = (state.get(NAME) as State | undefined) ?? {}
  for (const { volume } of plan?.bind ?? []) taken.delete(volume.metadata.name!)
}

/** The pod's claims by whether they have a volume; or why the pod cannot be placed before someone else acts. */
function sortClaims(pod: Pod, claims: readonly PodClaim[], volumes: VolumeView): State | Refusal {
  const bound: PersistentVolumeClaim[] = []
  const waiting: PersistentVolumeClaim[] = []
  for (const { namespace, name, isEphemeral } of claims) {
    const claim = volumes.claim(namespace, name)
    if (!claim) {
      return refusal(
        isEphemeral
          ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
          : `persistentvolumeclaim "${name}" not found`,
      )
    }
    if (claim.status.phase === 'Lost')
      return refusal(`persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName}"`)
    if (claim.metadata.deletionTimestamp !== undefined) return refusal(`persistentvolumeclaim "${name}" is being deleted`)
    if (isEphemeral && !claim.metadata.ownerReferences?.some(({ uid, controller }) => controller && uid === pod.metadata.uid)) {
      return refusal(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`)
    }
    if (isBound(claim)) bound.push(claim)
    else if (!claim.spec.volumeName && volumes.storageClass(classOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer')
      waiting.push(claim)
    else return UNBOUND_IMMEDIATE
  }
  return { bound, waiting }
}

/** Both sides are agreed on it. */
const isBound = ({ spec, metadata }: PersistentVolumeClaim) =>
  Boolean(spec.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined

/** Gives volumes to claims, which their controller completes, and tells provisioners the node. */
async function askForVolumes(
  { bind, provision }: ClaimPlan,
  node: NodeInfo,
  { client }: VolumeBindingOptions,
  signal: AbortSignal,
): Promise<void> {
  for (const { claim, volume } of bind) {
    const { namespace, name, uid, resourceVersion } = claim.metadata
    const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion }
    const metadata = { resourceVersion: volume.metadata.resourceVersion, annotations: { 'pv.kubernetes.io/bound-by-controller': 'yes' } }
    await client.patch(PersistentVolume, volume, { type: 'merge', body: { metadata, spec: { claimRef } } }, { signal })
  }
  for (const claim of provision) {
    if (claim.metadata.annotations?.[SELECTED_NODE] === node.name) continue
    const metadata = { resourceVersion: claim.metadata.resourceVersion, annotations: { [SELECTED_NODE]: node.name } }
    await client.patch(PersistentVolumeClaim, claim, { type: 'merge', body: { metadata } }, { signal })
  }
}

/** Resolves once every claim is bound; rejects when one is deleted, its provisioner gives the node up, or it takes too long. */
async function untilBound(
  wanted: readonly PersistentVolumeClaim[],
  node: NodeInfo,
  { claims, clock, bindTimeoutMs, volumes }: VolumeBindingOptions,
  signal: AbortSignal,
): Promise<void> {
  const timeout = new AbortController()
  const stop = () => timeout.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    await Promise.race([
      Promise.all(wanted.map(claim => claimBound(claim, claims, timeout.signal, bound => checkPlace(bound, node.node, volumes)))),
      sleep(clock, bindTimeoutMs, timeout.signal).then(() => {
        throw new Error(`timed out waiting for the volumes of ${wanted.map(({ metadata }) => metadata.name).join(', ')} to be bound`)
      }),
    ])
  } finally {
    signal.removeEventListener('abort', stop)
    timeout.abort(new Error('the waiting for volumes has ended'))
  }
}

function claimBound(
  claim: PersistentVolumeClaim,
  claims: VolumeBindingOptions['claims'],
  signal: AbortSignal,
  check: (claim: PersistentVolumeClaim) => void,
): Promise<void> {
  const { namespace = '', name = '' } = claim.metadata
  const what = `the claim ${namespace}/${name}`
  return new Promise((resolve, reject) => {
    let wasSelected = false
    const look = (now: PersistentVolumeClaim | undefined) => {
      try {
        if (!now) throw new Error(`${what} was deleted`)
        const isSelected = now.metadata.annotations?.[SELECTED_NODE] !== undefined
        if (wasSelected && !isSelected && !now.spec.volumeName)
          throw new Error(`no volume could be made for ${what} at the node that was chosen`)
        wasSelected ||= isSelected
        if (!isBound(now)) return
        check(now)
        resolve()
      } catch (error) {
        reject(error)
      }
      watching[Symbol.dispose]()
    }
    const watching = claims.watchKey(namespace, name, look)
    signal.addEventListener(
      'abort',
      () => {
        watching[Symbol.dispose]()
        reject(signal.reason)
      },
      { once: true },
    )
    look(claims.get(namespace, name) ?? claim)
  })
}

/** A volume that was made elsewhere sends the pod back. */
function checkPlace({ spec }: PersistentVolumeClaim, node: Node | undefined, volumes: VolumeView): void {
  const volume = volumes.volume(spec.volumeName ?? '')
  if (volume && node && !isReachable(volume, node))
    throw new Error(`the volume ${spec.volumeName} cannot be reached from the node that was chosen`)
}
