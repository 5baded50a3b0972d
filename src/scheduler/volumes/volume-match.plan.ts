import type { Node } from '#kinds/core/v1/node.ts'
import { matchesNodeSelector } from '#kinds/core/v1/node-selector.facts.ts'
import type { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import type { VolumeView } from './volume-view.ts'

/** What becomes of the claims of a pod that is placed on a node: each gets a volume that is there, or one is to be made. */
export interface ClaimPlan {
  readonly bind: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[]
  readonly provision: readonly PersistentVolumeClaim[]
}

export type ClaimConflict = 'no volume' | 'no space'

export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
/** Stands for classes whose volumes are made by hand. */
const NO_PROVISIONER = 'kubernetes.io/no-provisioner'

/** Finds volumes for claims that wait for a node, on that node: the smallest that will do, the smallest claim first. `taken` are spoken for. */
export function planClaims(
  claims: readonly PersistentVolumeClaim[],
  node: Node,
  view: VolumeView,
  taken: ReadonlySet<string>,
): ClaimPlan | ClaimConflict {
  const bind: { claim: PersistentVolumeClaim; volume: PersistentVolume }[] = []
  const provision: PersistentVolumeClaim[] = []
  const used = new Set(taken)
  for (const claim of [...claims].sort((left, right) => requestOf(left).compare(requestOf(right)))) {
    const selected = claim.metadata.annotations?.[SELECTED_NODE]
    if (selected !== undefined) {
      if (selected !== node.metadata.name) return 'no volume'
      provision.push(claim)
      continue
    }
    const volume = smallestFor(claim, node, view, used)
    if (volume) {
      used.add(volume.metadata.name!)
      bind.push({ claim, volume })
      continue
    }
    const conflict = provisioningConflict(claim, node, view)
    if (conflict) return conflict
    provision.push(claim)
  }
  return { bind, provision }
}

/** Whether the volume may be used on the node. */
export function isReachable({ spec }: PersistentVolume, node: Node): boolean {
  return spec.nodeAffinity?.required === undefined || matchesNodeSelector(spec.nodeAffinity.required, node)
}

export const classOf = (claim: PersistentVolumeClaim): string =>
  claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec.storageClassName ?? ''

const requestOf = (claim: PersistentVolumeClaim) => Quantity.parse(claim.spec.resources.requests?.['storage'] ?? '0')
const capacityOf = (volume: PersistentVolume) => Quantity.parse(volume.spec.capacity?.['storage'] ?? '0')

function smallestFor(claim: PersistentVolumeClaim, node: Node, view: VolumeView, used: ReadonlySet<string>): PersistentVolume | undefined {
  const wanted = requestOf(claim)
  const selector = claim.spec.selector ? LabelSelector.ofObject(claim.spec.selector) : LabelSelector.everything
  let best: PersistentVolume | undefined
  for (const volume of view.volumesOf(classOf(claim))) {
    const { spec, metadata, status } = volume
    if (used.has(metadata.name ?? '') || metadata.deletionTimestamp !== undefined) continue
    if (spec.claimRef ? !isMeantFor(volume, claim) : status.phase !== 'Available') continue
    if (capacityOf(volume).compare(wanted) < 0 || spec.volumeMode !== claim.spec.volumeMode) continue
    if (!(claim.spec.accessModes ?? []).every(mode => spec.accessModes?.includes(mode))) continue
    if ((spec.volumeAttributesClassName ?? '') !== (claim.spec.volumeAttributesClassName ?? '')) continue
    if (!isReachable(volume, node)) continue
    if (spec.claimRef) return volume
    if (!selector.matches(metadata.labels)) continue
    if (!best || capacityOf(volume).compare(capacityOf(best)) < 0) best = volume
  }
  return best
}

/** An administrator may keep a volume for a claim. */
function isMeantFor({ spec: { claimRef } }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  if (claimRef?.name !== metadata.name || claimRef?.namespace !== metadata.namespace) return false
  return claimRef?.uid === undefined || claimRef.uid === metadata.uid
}

function provisioningConflict(claim: PersistentVolumeClaim, node: Node, view: VolumeView): ClaimConflict | undefined {
  const storageClass = view.storageClass(classOf(claim))
  if (!storageClass || storageClass.provisioner === '' || storageClass.provisioner === NO_PROVISIONER) return 'no volume'
  if (!isAllowed(storageClass, node)) return 'no volume'
  return hasSpace(claim, storageClass, node, view) ? undefined : 'no space'
}

function isAllowed({ allowedTopologies = [] }: StorageClass, node: Node): boolean {
  if (allowedTopologies.length === 0) return true
  const labels = node.metadata.labels ?? {}
  return allowedTopologies.some(term => (term.matchLabelExpressions ?? []).every(({ key, values }) => values.includes(labels[key] ?? '')))
}

/** A driver that publishes capacities must have one for the node that is large enough. */
function hasSpace(claim: PersistentVolumeClaim, storageClass: StorageClass, node: Node, view: VolumeView): boolean {
  if (!view.csiDriver(storageClass.provisioner)?.spec.storageCapacity) return true
  const wanted = requestOf(claim)
  return view.capacitiesOf(storageClass.metadata.name ?? '').some(({ nodeTopology, capacity, maximumVolumeSize }) => {
    const largest = maximumVolumeSize ?? capacity
    if (largest === undefined || Quantity.parse(largest).compare(wanted) < 0) return false
    return nodeTopology !== undefined && LabelSelector.ofObject(nodeTopology).matches(node.metadata.labels)
  })
}
