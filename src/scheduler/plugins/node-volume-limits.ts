import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import { keyOfClaim, type PodClaim } from '../volumes/pod-claims.ts'
import type { VolumeView } from '../volumes/volume-view.ts'

const NAME = 'NodeVolumeLimits'
const TOO_MANY: Refusal = { plugin: NAME, code: 'unschedulable', reasons: ['node(s) exceed max volume count'] }

/** A volume that a CSI driver would attach. */
interface AttachedVolume {
  readonly driver: string
  readonly handle: string
}

/** Keeps a node to as many volumes of each CSI driver as its CSINode says the driver can attach. */
export function nodeVolumeLimits(volumes: VolumeView): SchedulerPlugin {
  const attached = (pod: PodInfo) => pod.claims.flatMap(claim => volumeOf(claim, volumes) ?? [])
  return {
    name: NAME,
    wakesOn: ['node added', 'pod removed', 'volumes changed'],
    preFilter: ({ info }) => (info.claims.length === 0 ? { skip: true } : undefined),
    filter({ info }, node) {
      const limits = new Map(
        (volumes.csiNode(node.name)?.spec.drivers ?? []).flatMap(({ name, allocatable }) =>
          allocatable?.count === undefined ? [] : [[name, allocatable.count] as const],
        ),
      )
      const wanted = attached(info).filter(({ driver }) => limits.has(driver))
      if (wanted.length === 0) return undefined
      const present = heldOn(node, attached)
      for (const [driver, limit] of limits) {
        const own = new Set(wanted.filter(volume => volume.driver === driver).map(({ handle }) => handle))
        const others = present.get(driver) ?? new Set()
        const added = [...own].filter(handle => !others.has(handle)).length
        if (added > 0 && others.size + added > limit) return TOO_MANY
      }
      return undefined
    },
  }
}

function heldOn(node: NodeInfo, attached: (pod: PodInfo) => readonly AttachedVolume[]): Map<string, Set<string>> {
  const held = new Map<string, Set<string>>()
  for (const pod of node.pods.values()) {
    for (const { driver, handle } of attached(pod)) held.set(driver, (held.get(driver) ?? new Set()).add(handle))
  }
  return held
}

/** What of a claim counts: its volume if that is of a CSI driver, or the one its class would make. */
function volumeOf(claim: PodClaim, volumes: VolumeView): AttachedVolume | undefined {
  const { spec } = volumes.claim(claim.namespace, claim.name) ?? {}
  if (!spec) return undefined
  const source = spec.volumeName ? volumes.volume(spec.volumeName)?.spec.csi : undefined
  if (source) return { driver: source.driver, handle: source.volumeHandle }
  const driver = spec.volumeName ? undefined : volumes.storageClass(spec.storageClassName ?? '')?.provisioner
  return driver === undefined ? undefined : { driver, handle: `claim ${keyOfClaim(claim)}` }
}
