import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Volume } from '#kinds/core/v1/volume.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { PodInfo } from '../cache/pod-info.ts'
import type { Refusal, SchedulerPlugin } from '../framework/plugin.ts'
import type { SchedulingCycle, TrialState } from '../framework/scheduling-cycle.ts'
import { keyOfClaim } from '../volumes/pod-claims.ts'
import type { VolumeView } from '../volumes/volume-view.ts'

const NAME = 'VolumeRestrictions'
const DISK: Refusal = { plugin: NAME, code: 'unschedulable', reasons: ['node(s) had no available disk'] }
const IN_USE: Refusal = {
  plugin: NAME,
  code: 'unschedulable',
  reasons: ['node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode'],
}

class State implements TrialState {
  /** The pod's claims that one pod alone may use. */
  readonly claims: ReadonlySet<string>
  /** How many pods use them. */
  users: number

  constructor(claims: ReadonlySet<string>, users: number) {
    this.claims = claims
    this.users = users
  }

  copy(): State {
    return new State(this.claims, this.users)
  }
}

/** Keeps pods apart that cannot use the same disk of a cloud on one node, or the same claim at all (ReadWriteOncePod). */
export function volumeRestrictions(volumes: VolumeView): SchedulerPlugin {
  const changed = ({ state }: SchedulingCycle, pod: PodInfo, sign: 1 | -1) => {
    const known = state.get(NAME) as State | undefined
    if (known) for (const { namespace, name } of pod.claims) if (known.claims.has(keyOfClaim({ namespace, name }))) known.users += sign
  }
  return {
    name: NAME,
    wakesOn: ['node added', 'pod removed', 'volumes changed'],
    preFilter({ pod, info, state, nodeSet }) {
      const alone = info.claims.filter(({ namespace, name }) =>
        volumes.claim(namespace, name)?.spec.accessModes?.includes('ReadWriteOncePod'),
      )
      if (alone.length === 0 && !(pod.spec.volumes ?? []).some(isDisk)) return { skip: true }
      const keys = new Set(alone.map(keyOfClaim))
      let users = 0
      for (const key of keys) users += nodeSet.usersOfClaim(key)
      state.set(NAME, new State(keys, users))
      return undefined
    },
    addPod: (cycle, pod) => changed(cycle, pod, 1),
    removePod: (cycle, pod) => changed(cycle, pod, -1),
    filter({ pod, state }, node) {
      if ((state.get(NAME) as State).users > 0) return IN_USE
      return clashes(pod, node) ? DISK : undefined
    },
  }
}

const isDisk = ({ gcePersistentDisk, awsElasticBlockStore, rbd, iscsi }: Volume) =>
  (gcePersistentDisk ?? awsElasticBlockStore ?? rbd ?? iscsi) !== undefined

function clashes(pod: Pod, node: NodeInfo): boolean {
  for (const volume of pod.spec.volumes ?? []) {
    if (!isDisk(volume)) continue
    for (const other of node.pods.values()) if (other.pod.spec.volumes?.some(held => isSameDisk(volume, held))) return true
  }
  return false
}

/** Disks of a cloud go to one writer; those that can be shared may have readers. */
function isSameDisk(left: Volume, right: Volume): boolean {
  const { gcePersistentDisk: gce, awsElasticBlockStore: aws, iscsi, rbd } = left
  if (gce && right.gcePersistentDisk) {
    return gce.pdName === right.gcePersistentDisk.pdName && !(gce.readOnly && right.gcePersistentDisk.readOnly)
  }
  if (aws && right.awsElasticBlockStore) return aws.volumeID === right.awsElasticBlockStore.volumeID
  if (iscsi && right.iscsi) return iscsi.iqn === right.iscsi.iqn && !(iscsi.readOnly && right.iscsi.readOnly)
  if (rbd && right.rbd) {
    const other = right.rbd
    const isSame = rbd.pool === other.pool && rbd.image === other.image && rbd.monitors.some(monitor => other.monitors.includes(monitor))
    return isSame && !(rbd.readOnly && other.readOnly)
  }
  return false
}
