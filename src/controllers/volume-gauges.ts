import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { VolumeAttachment } from '#kinds/storage/v1/volume-attachment.ts'
import type { ControllerContext } from './runtime/controller.ts'
import { claimKeysOf } from './runtime/pod-claims.ts'

/** Counts how often each set of labels occurs. */
class Tally {
  readonly #counts = new Map<string, [labels: Readonly<Record<string, string>>, count: number]>()

  add(labels: Readonly<Record<string, string>>): void {
    const key = JSON.stringify(labels)
    const known = this.#counts.get(key)
    if (known) known[1]++
    else this.#counts.set(key, [labels, 1])
  }

  get all() {
    return this.#counts.values()
  }
}

/** Shows how many volumes and claims there are, bound and not (upstream's `pv_collector`); counted when somebody asks. */
export function showVolumeCounts({ informers, metrics }: ControllerContext): void {
  const gauge = <O>(name: string, help: string, list: () => readonly O[], labelsOf: (object: O) => Record<string, string> | undefined) =>
    metrics.gauge({
      name: `pv_collector_${name}`,
      help,
      read() {
        const tally = new Tally()
        for (const object of list()) {
          const labels = labelsOf(object)
          if (labels) tally.add(labels)
        }
        return tally.all
      },
    })
  const volumes = () => informers.of(PersistentVolume).list()
  const claims = () => informers.of(PersistentVolumeClaim).list()
  const ofVolume = (isMeant: boolean) => (volume: PersistentVolume) =>
    (volume.status.phase === 'Bound') === isMeant ? { storage_class: volume.spec.storageClassName ?? '' } : undefined
  const ofClaim =
    (isMeant: boolean) =>
    ({ metadata, spec, status }: PersistentVolumeClaim) =>
      (status.phase === 'Bound') === isMeant
        ? {
            namespace: metadata.namespace ?? '',
            storage_class: spec.storageClassName ?? '',
            volume_attributes_class: spec.volumeAttributesClassName ?? '',
          }
        : undefined
  gauge('bound_pv_count', 'Gauge measuring number of persistent volume currently bound', volumes, ofVolume(true))
  gauge('unbound_pv_count', 'Gauge measuring number of persistent volume currently unbound', volumes, ofVolume(false))
  gauge('bound_pvc_count', 'Gauge measuring number of persistent volume claim currently bound', claims, ofClaim(true))
  gauge('unbound_pvc_count', 'Gauge measuring number of persistent volume claim currently unbound', claims, ofClaim(false))
  gauge('total_pv_count', 'Gauge measuring total number of persistent volumes', volumes, volume => ({
    plugin_name: pluginOf(volume),
    volume_mode: volume.spec.volumeMode ?? 'Filesystem',
  }))
}

/** Shows which volumes pods use on nodes, and which are to be attached and are (`attachdetach_controller`). */
export function showAttachments({ informers, metrics }: ControllerContext): void {
  const volumesOf = (pod: Pod) =>
    claimKeysOf(pod).flatMap(key => {
      const [namespace, name] = key.split('/') as [string, string]
      return informers.of(PersistentVolume).get('', informers.of(PersistentVolumeClaim).get(namespace, name)?.spec.volumeName ?? '') ?? []
    })
  const onNodes = () =>
    informers
      .of(Pod)
      .list()
      .flatMap(pod => (pod.spec.nodeName ? volumesOf(pod).map(volume => ({ node: pod.spec.nodeName!, volume })) : []))
  metrics.gauge({
    name: 'storage_count_attachable_volumes_in_use',
    help: 'Measure number of volumes in use',
    read() {
      const tally = new Tally()
      for (const { node, volume } of onNodes()) if (isAttachable(volume)) tally.add({ node, volume_plugin: pluginOf(volume) })
      return tally.all
    },
  })
  metrics.gauge({
    name: 'attachdetach_controller_total_volumes',
    help: 'Number of volumes in A/D Controller',
    read() {
      const tally = new Tally()
      const wanted = new Map(onNodes().map(({ node, volume }) => [`${node} ${volume.metadata.name}`, volume]))
      for (const volume of wanted.values())
        if (isAttachable(volume)) tally.add({ plugin_name: pluginOf(volume), state: 'desired_state_of_world' })
      for (const { spec, status } of informers.of(VolumeAttachment).list()) {
        const volume = informers.of(PersistentVolume).get('', spec.source.persistentVolumeName ?? '')
        if (status.attached && volume) tally.add({ plugin_name: pluginOf(volume), state: 'actual_state_of_world' })
      }
      return tally.all
    },
  })
}

/** As upstream names the kinds of volumes. */
const PLUGINS = { hostPath: 'host-path', local: 'local-volume', nfs: 'nfs', iscsi: 'iscsi', fc: 'fc' } as const

function pluginOf({ spec }: PersistentVolume): string {
  if (spec.csi) return `kubernetes.io/csi:${spec.csi.driver}`
  const known = Object.entries(PLUGINS).find(([source]) => spec[source as keyof typeof PLUGINS] !== undefined)
  return known ? `kubernetes.io/${known[1]}` : 'N/A'
}

function isAttachable({ spec }: PersistentVolume): boolean {
  return spec.csi !== undefined || spec.iscsi !== undefined || spec.fc !== undefined
}
