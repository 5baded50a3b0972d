import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { StorageClass } from '#kinds/storage/v1/storage-class.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import {
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  bestVolume,
  classOf,
  isReservedFor,
  mismatch,
  waitsForConsumer,
} from './persistentvolume-binder.plan.ts'
import type { Controller } from './runtime/controller.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { both } from './runtime/pair.ts'
import { consulted, mapped } from './runtime/watches.ts'
import { showVolumeCounts } from './volume-gauges.ts'

const PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
const BETA_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner'
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by'

/** Brings claims and volumes together, hands claims to provisioners, and sees to volumes that were given back. */
export const persistentVolumeBinderController: Controller = {
  name: 'persistentvolume-binder-controller',
  run(context) {
    showVolumeCounts(context)
    return both(claims.run(context), volumes.run(context))
  },
}

const claimKey = ({ spec: { claimRef } }: PersistentVolume) => (claimRef ? [`${claimRef.namespace}/${claimRef.name}`] : [])

const claims = defineController({
  name: 'persistentvolume-binder-controller',
  component: 'persistentvolume-controller',
  reconciles: PersistentVolumeClaim,
  watches: [
    mapped(PersistentVolume, (volume, { reconciled }) =>
      // A free volume may be what some claim has waited for.
      volume.spec.claimRef
        ? claimKey(volume)
        : (reconciled.list() as readonly PersistentVolumeClaim[]).filter(({ spec }) => !spec.volumeName),
    ),
    mapped(StorageClass, (_, { reconciled }) =>
      (reconciled.list() as readonly PersistentVolumeClaim[]).filter(({ spec }) => !spec.volumeName),
    ),
  ],
  writes: [whole(PersistentVolume), whole(PersistentVolumeClaim), status(PersistentVolume), status(PersistentVolumeClaim)],
  // One at a time: two claims must not be promised the same volume.
  concurrency: 1,
  async reconcile(claim, tools) {
    if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) return await keepBound(claim, tools)
    if (claim.metadata.deletionTimestamp) return
    if (claim.spec.volumeName) return await bindToNamed(claim, tools)
    const storageClass = tools.get(StorageClass, '', classOf(claim) ?? '')
    const waits = waitsForConsumer(claim, storageClass)
    const volume = bestVolume(claim, tools.list(PersistentVolume))
    if (volume && (!waits || isReservedFor(volume, claim))) return await bind(claim, volume, tools)
    await setPending(claim, tools)
    if (waits) tools.events.record(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
    else await handOver(claim, storageClass, tools)
  },
})

/** A claim that is bound stays so; if its volume is gone or another's it is lost, with its data. */
async function keepBound(claim: PersistentVolumeClaim, tools: Tools): Promise<void> {
  const { volumeName = '' } = claim.spec
  const volume = tools.get(PersistentVolume, '', volumeName)
  if (volume && isReservedFor(volume, claim)) return await bind(claim, volume, tools)
  if (volume && !volume.spec.claimRef) return await bind(claim, volume, tools)
  const [reason, message] =
    volumeName === ''
      ? ['ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!']
      : volume
        ? ['ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly']
        : ['ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!']
  if (claim.status.phase === 'Lost') return
  const { capacity: _, accessModes: __, ...rest } = claim.status
  await tools.updateStatus(PersistentVolumeClaim, claim, { ...rest, phase: 'Lost' })
  tools.events.record(claim, 'Warning', reason, message)
}

async function bindToNamed(claim: PersistentVolumeClaim, tools: Tools): Promise<void> {
  const volume = tools.get(PersistentVolume, '', claim.spec.volumeName ?? '')
  if (!volume) return await setPending(claim, tools)
  if (volume.spec.claimRef && !isReservedFor(volume, claim)) {
    await setPending(claim, tools)
    const message = `volume "${volume.metadata.name}" already bound to a different claim.`
    tools.events.record(claim, 'Warning', 'FailedBinding', message)
    return
  }
  const wrong = volume.spec.claimRef?.uid ? undefined : mismatch(volume, claim)
  if (wrong === undefined) return await bind(claim, volume, tools)
  await setPending(claim, tools)
  tools.events.record(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${volume.metadata.name}": ${wrong}`)
}

/** Four writes in this order, each of which finds the ones before done: the volume names the claim before the claim names the volume. */
async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume, tools: Tools): Promise<void> {
  const { client, updateStatus } = tools
  let bound = volume
  if (volume.spec.claimRef?.uid !== claim.metadata.uid) {
    const { namespace, name, uid, resourceVersion } = claim.metadata
    const annotations = { ...volume.metadata.annotations, ...(volume.spec.claimRef ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }) }
    const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion }
    bound = await client.update(PersistentVolume, {
      ...volume,
      metadata: { ...volume.metadata, annotations },
      spec: { ...volume.spec, claimRef },
    })
  }
  bound = await updateStatus(PersistentVolume, bound, { ...bound.status, phase: 'Bound' })
  let done = claim
  const { annotations = {} } = claim.metadata
  if (claim.spec.volumeName !== volume.metadata.name || annotations[BIND_COMPLETED] === undefined) {
    const isChosen = claim.spec.volumeName === volume.metadata.name
    const noted = { ...annotations, ...(isChosen ? {} : { [BOUND_BY_CONTROLLER]: 'yes' }), [BIND_COMPLETED]: 'yes' }
    done = await client.update(PersistentVolumeClaim, {
      ...claim,
      metadata: { ...claim.metadata, annotations: noted },
      spec: { ...claim.spec, volumeName: volume.metadata.name },
    })
  }
  const { accessModes, capacity } = bound.spec
  const present = done.status.phase === 'Bound' ? (done.status.capacity ?? capacity) : capacity
  await updateStatus(PersistentVolumeClaim, done, { ...done.status, phase: 'Bound', accessModes, capacity: present })
}

/** Names the provisioner that is to make a volume; without one the claim waits for somebody to make one by hand. */
async function handOver(claim: PersistentVolumeClaim, storageClass: StorageClass | undefined, { client, events }: Tools): Promise<void> {
  const className = classOf(claim) ?? ''
  if (className === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set'
    events.record(claim, 'Normal', 'FailedBinding', message)
    return
  }
  if (!storageClass) {
    events.record(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${className}" not found`)
    return
  }
  const { provisioner } = storageClass
  if (provisioner === 'kubernetes.io/no-provisioner') {
    events.record(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
    return
  }
  if (claim.metadata.annotations?.[PROVISIONER] !== provisioner) {
    const annotations = { ...claim.metadata.annotations, [PROVISIONER]: provisioner, [BETA_PROVISIONER]: provisioner }
    await client.update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations } })
  }
  const message =
    `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. ` +
    'If volume creation is delayed, please verify that the provisioner is running and correctly registered.'
  events.record(claim, 'Normal', 'ExternalProvisioning', message)
}

async function setPending(claim: PersistentVolumeClaim, { updateStatus }: Tools): Promise<void> {
  await updateStatus(PersistentVolumeClaim, claim, { ...claim.status, phase: 'Pending' })
}

const volumes = defineController({
  name: 'persistentvolume-binder-controller',
  component: 'persistentvolume-controller',
  reconciles: PersistentVolume,
  watches: [
    mapped(PersistentVolumeClaim, (claim, { reconciled }) => {
      const named = claim.spec.volumeName ? [`/${claim.spec.volumeName}`] : []
      const naming = (reconciled.list() as readonly PersistentVolume[]).filter(({ spec }) => spec.claimRef?.uid === claim.metadata.uid)
      return [...named, ...naming]
    }),
    consulted(StorageClass),
  ],
  writes: [whole(PersistentVolume), status(PersistentVolume)],
  async reconcile(volume, tools) {
    const { claimRef } = volume.spec
    const { client, updateStatus, get } = tools
    if (!claimRef?.uid) {
      if (volume.status.phase === 'Pending' || !claimRef)
        await updateStatus(PersistentVolume, volume, { ...volume.status, phase: 'Available' })
      return
    }
    const cached = get(PersistentVolumeClaim, claimRef.namespace ?? '', claimRef.name ?? '')
    if (cached?.metadata.uid === claimRef.uid) return
    // A volume must not be given up because a cache is behind.
    const claim = await client.get(PersistentVolumeClaim, { namespace: claimRef.namespace, name: claimRef.name ?? '' }).catch(error => {
      if (isNotFound(error)) return undefined
      throw error
    })
    if (claim?.metadata.uid === claimRef.uid) return
    const released = await updateStatus(PersistentVolume, volume, { ...volume.status, phase: 'Released', reason: '', message: '' })
    await reclaim(released, tools)
  },
})

/** What becomes of a volume whose claim is gone: provisioners delete those they made; the others stay for somebody to look at. */
async function reclaim(volume: PersistentVolume, { client, events, updateStatus }: Tools): Promise<void> {
  const { persistentVolumeReclaimPolicy: policy, csi, hostPath } = volume.spec
  if (policy === 'Recycle') {
    const { claimRef, ...spec } = volume.spec
    if (claimRef) events.record(volume, 'Warning', 'VolumeFailedRecycle', 'No recycler plugin found for the volume!')
    await updateStatus(PersistentVolume, { ...volume, spec } as PersistentVolume, {
      ...volume.status,
      phase: 'Failed',
      message: 'No recycler plugin found for the volume!',
    })
    return
  }
  if (policy !== 'Delete' || csi || volume.metadata.annotations?.[PROVISIONED_BY]) return
  if (!hostPath) {
    const message = `error getting deleter volume plugin for volume "${volume.metadata.name}": no deletable volume plugin matched`
    events.record(volume, 'Warning', 'VolumeFailedDelete', message)
    await updateStatus(PersistentVolume, volume, { ...volume.status, phase: 'Failed', message })
    return
  }
  if (!/^\/tmp\/.+/.test(hostPath.path)) {
    const message = `host_path deleter only supports /tmp/.+ but received provided ${hostPath.path}`
    events.record(volume, 'Warning', 'VolumeFailedDelete', message)
    await updateStatus(PersistentVolume, volume, { ...volume.status, phase: 'Failed', message })
    return
  }
  await client.delete(PersistentVolume, volume, { preconditions: { uid: volume.metadata.uid } }).catch(error => {
    if (!isNotFound(error)) throw error
  })
}
