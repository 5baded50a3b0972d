import { sha256Hex } from '#base/pki/digest.ts'
import type { Node } from '#kinds/core/v1/node.ts'
import type { AttachedVolume } from '#kinds/core/v1/node-status.ts'
import type { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { VolumeAttachment } from '#kinds/storage/v1/volume-attachment.ts'
import { claimKeysOf } from './runtime/pod-claims.ts'

/** The kubelet of a node with this annotation leaves attaching to this controller. */
const MANAGED = 'volumes.kubernetes.io/controller-managed-attach-detach'
const KEEP_TERMINATED = 'volumes.kubernetes.io/keep-terminated-pod-volumes'
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
/** How long a volume of a node that is not well may stay in use before it is taken away all the same. */
export const MAX_WAIT_FOR_UNMOUNT_MS = 6 * 60_000

/** What is there, as far as one node is concerned. */
export interface AttachWorld {
  readonly name: string
  /** Absent: the node is gone. */
  readonly node: Node | undefined
  /** The pods of the node that name claims. */
  readonly pods: readonly Pod[]
  readonly claim: (key: string) => PersistentVolumeClaim | undefined
  readonly volume: (name: string) => PersistentVolume | undefined
  /** Whether volumes of a driver are attached at all. */
  readonly isAttachable: (driver: string) => boolean
  /** The attachments of this node. */
  readonly attachments: readonly VolumeAttachment[]
  /** The attachments of a volume, on whatever node. */
  readonly attachmentsOf: (volume: string) => readonly VolumeAttachment[]
  /** How long, in milliseconds, it has been wished that an attachment go. */
  readonly waitedMs: (attachment: string) => number
  readonly mayForce: boolean
}

/** A volume that pods of the node need. */
export interface Wanted {
  readonly volume: PersistentVolume
  readonly pods: readonly Pod[]
}

export interface AttachPlan {
  /** What the node is told is attached: first this is written, then something is taken away. Undefined: the node is not this controller's. */
  readonly attached: readonly AttachedVolume[] | undefined
  readonly attach: readonly (Wanted & { readonly attachment: string })[]
  readonly detach: readonly { readonly attachment: VolumeAttachment; readonly forced: boolean }[]
  /** Volumes for one node that another node still has. */
  readonly refused: readonly Wanted[]
  readonly failed: readonly (Wanted & { readonly message: string })[]
  /** Attachments that are to go but are in use. */
  readonly waiting: readonly VolumeAttachment[]
}

/** Which volumes of a node are to be attached, which detached, and what it is told. */
export function planAttachments(world: AttachWorld): AttachPlan {
  const { node, name } = world
  const plan = { attach: [] as AttachPlan['attach'][0][], detach: [] as AttachPlan['detach'][0][], refused: [] as Wanted[] }
  const failed: AttachPlan['failed'][0][] = []
  const waiting: VolumeAttachment[] = []
  const attached: AttachedVolume[] = []
  if (node && node.metadata.annotations?.[MANAGED] !== 'true') return { ...plan, failed, waiting, attached: undefined }
  const wanted = wantedVolumes(world)
  const present = new Map(world.attachments.map(attachment => [attachment.metadata.name ?? '', attachment]))
  for (const [unique, want] of wanted) {
    const id = attachmentName(want.volume, name)
    const attachment = present.get(id)
    if (id === '') attached.push({ name: unique, devicePath: '' })
    else if (!attachment) {
      if (isTakenElsewhere(want.volume, world)) plan.refused.push(want)
      else plan.attach.push({ ...want, attachment: id })
    } else if (!attachment.metadata.deletionTimestamp) {
      if (attachment.status.attached) attached.push({ name: unique, devicePath: '' })
      else if (attachment.status.attachError) failed.push({ ...want, message: attachment.status.attachError.message ?? '' })
    }
  }
  const ids = new Set([...wanted.values()].map(({ volume }) => attachmentName(volume, name)))
  for (const [id, attachment] of present) {
    if (ids.has(id) || attachment.metadata.deletionTimestamp || !isOurs(attachment, world)) continue
    const forced = isInUse(attachment, world)
    if (forced && !mayForce(attachment, world)) {
      waiting.push(attachment)
      const unique = uniqueNameOf(attachment, world)
      if (unique !== undefined && attachment.status.attached) attached.push({ name: unique, devicePath: '' })
    } else plan.detach.push({ attachment, forced })
  }
  return { ...plan, failed, waiting, attached: inOrder(attached, node) }
}

/** The name that kubelets know a volume by; undefined if it is of a sort that nobody attaches. */
export function uniqueVolumeName({ spec }: PersistentVolume): string | undefined {
  if (spec.csi) return `kubernetes.io/csi/${spec.csi.driver}^${spec.csi.volumeHandle}`
  if (spec.iscsi) return `kubernetes.io/iscsi/${spec.iscsi.targetPortal}:${spec.iscsi.iqn}:${spec.iscsi.lun}`
  if (spec.fc?.targetWWNs?.length) return `kubernetes.io/fc/[${spec.fc.targetWWNs.join(' ')}]:${spec.fc.lun ?? 0}`
  if (spec.fc?.wwids?.length) return `kubernetes.io/fc/[${spec.fc.wwids.join(' ')}]`
  return undefined
}

/** What the attachment of a volume to a node is called, on whichever machine it is computed; '' if there is nothing to attach. */
export function attachmentName({ spec }: PersistentVolume, node: string): string {
  return spec.csi ? `csi-${sha256Hex(`${spec.csi.volumeHandle}${spec.csi.driver}${node}`)}` : ''
}

/** The volumes that pods of the node need, by their unique names. */
function wantedVolumes({ node, pods, claim, volume, isAttachable }: AttachWorld): Map<string, Wanted> {
  const wanted = new Map<string, { volume: PersistentVolume; pods: Pod[] }>()
  if (!node) return wanted
  const keepsTerminated = node.metadata.annotations?.[KEEP_TERMINATED] === 'true'
  for (const pod of pods) {
    if (isTerminal(pod) && !keepsTerminated) continue
    for (const key of claimKeysOf(pod)) {
      const found = claim(key)
      const bound = found?.status.phase === 'Bound' ? volume(found.spec.volumeName ?? '') : undefined
      // A volume that was promised to a namesake of this claim is another's.
      if (!found || !bound || bound.spec.claimRef?.uid !== found.metadata.uid) continue
      const unique = uniqueVolumeName(bound)
      if (unique === undefined || (bound.spec.csi && !isAttachable(bound.spec.csi.driver))) continue
      const present = wanted.get(unique)
      if (present) present.pods.push(pod)
      else wanted.set(unique, { volume: bound, pods: [pod] })
    }
  }
  return wanted
}

/** A volume that only one node may have, and another has. */
function isTakenElsewhere(volume: PersistentVolume, { name, attachmentsOf }: AttachWorld): boolean {
  const modes = volume.spec.accessModes ?? []
  if (modes.length === 0 || modes.some(mode => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany')) return false
  return attachmentsOf(volume.metadata.name ?? '').some(({ spec }) => spec.nodeName !== name)
}

/** Whether this controller made the attachment: others may make attachments of their own. */
function isOurs({ metadata, spec }: VolumeAttachment, { name, volume }: AttachWorld): boolean {
  const { persistentVolumeName } = spec.source
  if (persistentVolumeName === undefined) return false
  const found = volume(persistentVolumeName)
  return found ? attachmentName(found, name) === metadata.name : /^csi-[0-9a-f]{64}$/.test(metadata.name ?? '')
}

/** A node that is gone can tell nobody that it has let go. */
function isInUse(attachment: VolumeAttachment, world: AttachWorld): boolean {
  if (!world.node) return true
  const unique = uniqueNameOf(attachment, world)
  return unique !== undefined && (world.node.status.volumesInUse ?? []).includes(unique)
}

function uniqueNameOf({ spec }: VolumeAttachment, { volume }: AttachWorld): string | undefined {
  const found = volume(spec.source.persistentVolumeName ?? '')
  return found && uniqueVolumeName(found)
}

/** Whether somebody has said that the node is off for good. */
export function isOutOfService({ spec }: Node): boolean {
  return spec.taints?.some(({ key }) => key === OUT_OF_SERVICE) ?? false
}

function mayForce({ metadata }: VolumeAttachment, { node, waitedMs, mayForce: isAllowed }: AttachWorld): boolean {
  if (node && isOutOfService(node)) return true
  const isWell = node?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  return !isWell && isAllowed && waitedMs(metadata.name ?? '') >= MAX_WAIT_FOR_UNMOUNT_MS
}

/** What was told before keeps its place, so that the same truth is the same text. */
function inOrder(attached: readonly AttachedVolume[], node: Node | undefined): AttachedVolume[] {
  const before = (node?.status.volumesAttached ?? []).map(({ name }) => name)
  const place = (name: string) => (before.includes(name) ? before.indexOf(name) : before.length)
  return [...attached].sort((a, b) => place(a.name) - place(b.name) || (a.name < b.name ? -1 : 1))
}
