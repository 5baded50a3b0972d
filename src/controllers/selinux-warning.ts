import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { isTerminal } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { CSIDriver } from '#kinds/storage/v1/csi-driver.ts'
import type { Controller } from './runtime/controller.ts'
import { defineController, type Tools } from './runtime/define-controller.ts'
import { claimKeysOf } from './runtime/pod-claims.ts'
import { mapped } from './runtime/watches.ts'
import { conflictsOf, planUse, type VolumeUse } from './selinux-warning.plan.ts'

const NAME = 'selinux-warning-controller'
const BY_CLAIM = 'podUsingClaim'
const BY_HANDLE = 'volumeOfHandle'

/** Warns of pods that share a volume and would mount it with different SELinux labels. It changes nothing. */
export const seLinuxWarningController: Controller = {
  name: NAME,
  featureGates: ['SELinuxChangePolicy'],
  needs: [Pod, PersistentVolumeClaim, PersistentVolume, CSIDriver],
  run: context => warnings().run(context),
}

/** Its memory of what it has said ends with it. */
function warnings() {
  const said = new Map<string, ReadonlySet<string>>()
  return defineController({
    name: NAME,
    component: 'selinux_warning',
    reconciles: Pod,
    watches: [
      // Who shares a claim with a pod hears of it as well.
      mapped(Pod, (pod, { reconciled }) => claimKeysOf(pod).flatMap(key => [...reconciled.byIndex(BY_CLAIM, key)]), {
        [BY_CLAIM]: claimKeysOf,
      }),
      mapped(PersistentVolumeClaim, ({ metadata }, { reconciled }) =>
        reconciled.byIndex(BY_CLAIM, `${metadata.namespace}/${metadata.name}`),
      ),
      mapped(
        PersistentVolume,
        ({ spec: { claimRef } }, { reconciled }) => reconciled.byIndex(BY_CLAIM, `${claimRef?.namespace}/${claimRef?.name}`),
        { [BY_HANDLE]: volume => handleOf(volume) },
      ),
      mapped(CSIDriver, ({ metadata }, { cacheOf, reconciled }) =>
        cacheOf(PersistentVolume)
          .list()
          .filter(({ spec }) => spec.csi?.driver === metadata.name)
          .flatMap(({ spec: { claimRef } }) => [...reconciled.byIndex(BY_CLAIM, `${claimRef?.namespace}/${claimRef?.name}`)]),
      ),
    ],
    async reconcile(pod, tools) {
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`
      if (isTerminal(pod)) {
        said.delete(key)
        return
      }
      const before = said.get(key) ?? new Set()
      const now = new Set<string>()
      for (const [reason, message] of warningsFor(pod, tools)) {
        now.add(message)
        if (!before.has(message)) tools.events.record(pod, reason === 'MultipleSELinuxLabels' ? 'Warning' : 'Normal', reason, message)
      }
      said.set(key, now)
    },
    async gone({ namespace, name }) {
      said.delete(`${namespace}/${name}`)
    },
  })
}

function* warningsFor(pod: Pod, tools: Tools): Generator<readonly [reason: string, message: string]> {
  for (const { name } of pod.spec.volumes ?? []) {
    const volume = volumeOf(pod, name, tools)
    if (!volume) continue
    const own = useOf(pod, name, volume, tools)
    if (own === 'several labels') {
      yield ['MultipleSELinuxLabels', `Volume "${name}" is mounted twice with different SELinux labels inside this pod`]
      continue
    }
    if (!own) continue
    for (const other of usesOf(volume, pod, tools)) for (const { reason, message } of conflictsOf(own, other)) yield [reason, message]
  }
}

/** How other pods use a volume, by whichever claim. */
function* usesOf(volume: PersistentVolume, own: Pod, tools: Tools): Generator<VolumeUse> {
  const [handle] = handleOf(volume)
  const same = handle === undefined ? [volume] : tools.list(PersistentVolume, { index: [BY_HANDLE, handle] })
  for (const { spec } of same) {
    for (const pod of tools.list(Pod, { index: [BY_CLAIM, `${spec.claimRef?.namespace}/${spec.claimRef?.name}`] })) {
      if (pod.metadata.uid === own.metadata.uid || isTerminal(pod)) continue
      for (const { name } of pod.spec.volumes ?? []) {
        const other = volumeOf(pod, name, tools)
        const use = other && same.includes(other) ? useOf(pod, name, other, tools) : undefined
        if (use && use !== 'several labels') yield use
      }
    }
  }
}

function useOf(pod: Pod, name: string, { spec }: PersistentVolume, { get }: Tools) {
  return planUse(pod, name, get(CSIDriver, '', spec.csi?.driver ?? '')?.spec.seLinuxMount ?? false)
}

/** The persistent volume behind a volume of a pod, once it is bound. */
function volumeOf(pod: Pod, name: string, { get }: Tools): PersistentVolume | undefined {
  const volume = pod.spec.volumes?.find(one => one.name === name)
  const claimName = volume?.persistentVolumeClaim?.claimName ?? (volume?.ephemeral ? `${pod.metadata.name}-${name}` : undefined)
  const claim = claimName === undefined ? undefined : get(PersistentVolumeClaim, pod.metadata.namespace ?? '', claimName)
  return claim?.spec.volumeName ? get(PersistentVolume, '', claim.spec.volumeName) : undefined
}

function handleOf({ spec: { csi } }: PersistentVolume): string[] {
  return csi ? [`${csi.driver}^${csi.volumeHandle}`] : []
}
