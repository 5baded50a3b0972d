import { Node } from '#kinds/core/v1/node.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import { VolumeAttachment } from '#kinds/storage/v1/volume-attachment.ts'
import { equal } from '#machinery/kind/draft.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'
import {
  type AttachPlan,
  isOutOfService,
  MAX_WAIT_FOR_UNMOUNT_MS,
  planAttachments,
  uniqueVolumeName,
  type Wanted,
} from './persistentvolume-attach-detach.plan.ts'
import type { Controller } from './runtime/controller.ts'
import { counter } from './runtime/controller-metrics.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { claimKeysOf } from './runtime/pod-claims.ts'
import { mapped, type WatchWorld } from './runtime/watches.ts'
import { showAttachments } from './volume-gauges.ts'

const forcedDetaches = counter('attachdetach_controller_forced_detaches', 'Number of times the A/D Controller performed a forced detach', [
  'reason',
])

const BY_NODE = 'podWithClaimsOnNode'
const BY_CLAIM = 'podWithClaim'
const ON_NODE = 'attachmentOnNode'
const OF_VOLUME = 'attachmentOfVolume'

const nodesOf = (pod: Pod) => (pod.spec.nodeName && claimKeysOf(pod).length > 0 ? [`/${pod.spec.nodeName}`] : [])
const nodesOfClaim = (key: string, { cacheOf }: WatchWorld) => cacheOf(Pod).byIndex(BY_CLAIM, key).flatMap(nodesOf)
const nodesOfVolume = ({ spec: { claimRef } }: PersistentVolume, world: WatchWorld) =>
  claimRef ? nodesOfClaim(`${claimRef.namespace}/${claimRef.name}`, world) : []

/** Has volumes attached to the nodes whose pods need them, tells the nodes, and has them detached when nobody there uses them any more. */
export const persistentVolumeAttachDetachController: Controller = {
  name: 'persistentvolume-attach-detach-controller',
  run(context) {
    showAttachments(context)
    /** Since when an attachment is to go. A new leader begins to wait anew: it must not take away what it has not seen out of use. */
    const since = new Map<string, number>()
    return defineController({ ...definition, ...reconciling(since) }).run(context)
  },
}

const definition = {
  name: 'persistentvolume-attach-detach-controller',
  component: 'attachdetach-controller',
  reconciles: Node,
  watches: [
    mapped(Pod, nodesOf, { [BY_NODE]: nodesOf, [BY_CLAIM]: claimKeysOf }),
    mapped(PersistentVolumeClaim, ({ metadata }, world) => nodesOfClaim(`${metadata.namespace}/${metadata.name}`, world)),
    mapped(PersistentVolume, nodesOfVolume),
    mapped(CSIDriver, (_, { reconciled }) => reconciled.list()),
    mapped(
      VolumeAttachment,
      ({ spec }, world) => {
        // Whoever waited for this volume may have it once it is detached here.
        const volume = world.cacheOf(PersistentVolume).get('', spec.source.persistentVolumeName ?? '')
        return [`/${spec.nodeName}`, ...(volume ? nodesOfVolume(volume, world) : [])]
      },
      {
        [ON_NODE]: ({ spec }) => [spec.nodeName],
        [OF_VOLUME]: ({ spec }) => (spec.source.persistentVolumeName === undefined ? [] : [spec.source.persistentVolumeName]),
      },
    ),
  ],
  writes: [whole(VolumeAttachment), status(Node)],
}

function reconciling(since: Map<string, number>) {
  const work = async (name: string, node: Node | undefined, tools: Tools) => {
    const plan = planAttachments(worldOf(name, node, since, tools))
    const waiting = new Set(plan.waiting.map(({ metadata }) => metadata.name ?? ''))
    for (const { metadata } of tools.list(VolumeAttachment, { index: [ON_NODE, name] }))
      if (!waiting.has(metadata.name ?? '')) since.delete(metadata.name ?? '')
    for (const attachment of waiting) {
      if (!since.has(attachment)) since.set(attachment, tools.now)
      tools.again(Math.max(1000, MAX_WAIT_FOR_UNMOUNT_MS - (tools.now - since.get(attachment)!)))
    }
    const fresh = node && (await tell(node, plan, tools))
    await detach(name, plan, fresh, tools)
    await attach(name, plan, tools)
  }
  return {
    reconcile: (node: Node, tools: Tools) => work(node.metadata.name ?? '', node, tools),
    gone: ({ name }: { readonly name: string }, tools: Tools) => work(name, undefined, tools),
  }
}

function worldOf(name: string, node: Node | undefined, since: ReadonlyMap<string, number>, tools: Tools) {
  return {
    name,
    node,
    pods: tools.list(Pod, { index: [BY_NODE, `/${name}`] }),
    claim: (key: string) => tools.get(PersistentVolumeClaim, key.split('/')[0]!, key.split('/')[1]!),
    volume: (volume: string) => tools.get(PersistentVolume, '', volume),
    isAttachable: (driver: string) => tools.get(CSIDriver, '', driver)?.spec.attachRequired ?? true,
    attachments: tools.list(VolumeAttachment, { index: [ON_NODE, name] }),
    attachmentsOf: (volume: string) => tools.list(VolumeAttachment, { index: [OF_VOLUME, volume] }),
    waitedMs: (attachment: string) => tools.now - (since.get(attachment) ?? tools.now),
    mayForce: tools.parameters.forceDetachOnTimeout,
  }
}

/** Writes what the node has attached, and returns the node as the server then has it. */
async function tell(node: Node, { attached }: AttachPlan, tools: Tools): Promise<Node> {
  const before = node.status.volumesAttached ?? []
  if (!attached || equal(attached, before)) return node
  const fresh = await tools.client.patch(
    Node,
    node,
    { type: 'merge', body: { status: { volumesAttached: attached } } },
    { subresource: 'status' },
  )
  const isNew = (name: string) => attached.some(one => one.name === name) && !before.some(one => one.name === name)
  for (const pod of tools.list(Pod, { index: [BY_NODE, `/${node.metadata.name}`] }))
    for (const volume of volumesOf(pod, tools))
      if (isNew(uniqueVolumeName(volume) ?? ''))
        tools.events.record(pod, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume "${volume.metadata.name}" `)
  return fresh
}

function volumesOf(pod: Pod, tools: Tools): PersistentVolume[] {
  return claimKeysOf(pod).flatMap(key => {
    const claim = tools.get(PersistentVolumeClaim, key.split('/')[0]!, key.split('/')[1]!)
    const volume = tools.get(PersistentVolume, '', claim?.spec.volumeName ?? '')
    return volume ? [volume] : []
  })
}

/** What the node has begun to use while it was told is not taken away: it asks what is attached before it mounts. */
async function detach(name: string, plan: AttachPlan, fresh: Node | undefined, { client, get, log, metrics }: Tools): Promise<void> {
  for (const { attachment, forced } of plan.detach) {
    const volume = get(PersistentVolume, '', attachment.spec.source.persistentVolumeName ?? '')
    const unique = volume && uniqueVolumeName(volume)
    if (!forced && unique !== undefined && fresh?.status.volumesInUse?.includes(unique)) continue
    if (forced) log.warn('a volume is detached though its node has not let go of it', { node: name, volume: volume?.metadata.name })
    try {
      await client.delete(VolumeAttachment, attachment, { preconditions: { uid: attachment.metadata.uid } })
      if (forced) metrics.count(forcedDetaches, [fresh && isOutOfService(fresh) ? 'out-of-service' : 'timeout'])
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

async function attach(name: string, plan: AttachPlan, { client, events, list }: Tools): Promise<void> {
  const tell = ({ pods }: Wanted, message: string) => {
    for (const pod of pods) events.record(pod, 'Warning', 'FailedAttachVolume', message)
  }
  for (const want of plan.refused) tell(want, `Multi-Attach error for volume "${want.volume.metadata.name}" ${whoUses(want, name, list)}`)
  for (const want of plan.failed) tell(want, `AttachVolume.Attach failed for volume "${want.volume.metadata.name}" : ${want.message}`)
  for (const { volume, attachment } of plan.attach) {
    try {
      await client.create(VolumeAttachment, {
        metadata: { name: attachment },
        spec: { attacher: volume.spec.csi!.driver, nodeName: name, source: { persistentVolumeName: volume.metadata.name ?? '' } },
      })
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
    }
  }
}

/** Who has the volume that this node cannot have, as upstream words it. */
function whoUses({ volume, pods }: Wanted, name: string, list: Tools['list']): string {
  const { claimRef } = volume.spec
  const others = list(Pod, { index: [BY_CLAIM, `${claimRef?.namespace}/${claimRef?.name}`] }).filter(
    ({ spec }) => spec.nodeName && spec.nodeName !== name,
  )
  if (others.length === 0) return "Volume is already exclusively attached to one node and can't be attached to another"
  const [mine] = pods
  const near = others.filter(({ metadata }) => metadata.namespace === mine?.metadata.namespace)
  return `Volume is already used by pod(s) ${near.map(({ metadata }) => metadata.name).join(', ')}`
}
