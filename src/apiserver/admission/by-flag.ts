import { allContainers } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { isExtendedResource } from '#kinds/core/v1/resources.facts.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

/** Every start of a container asks the registry, so that who has an image on the node but not the right to it cannot run it. */
export const alwaysPullImages: AdmissionPlugin = {
  name: 'AlwaysPullImages',
  admit(request) {
    if (!isPodWrite(request)) return
    const { spec } = request.object as Mutable<Pod>
    for (const container of allContainers(spec)) (container as Mutable<typeof container>).imagePullPolicy = 'Always'
    for (const { image } of spec.volumes ?? []) if (image?.reference) image.pullPolicy = 'Always'
  },
}

/** A pod that asks for a special resource may run on nodes that are kept for it. */
export const extendedResourceToleration: AdmissionPlugin = {
  name: 'ExtendedResourceToleration',
  admit(request) {
    if (!isPodWrite(request)) return
    const { spec } = request.object as Mutable<Pod>
    const asked = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ resources }) => Object.keys(resources.requests ?? {}))
    for (const key of [...new Set(asked.filter(isExtendedResource))].sort()) {
      const isTolerated = spec.tolerations?.some(one => one.key === key && one.operator === 'Exists' && !one.effect)
      if (!isTolerated) spec.tolerations = [...(spec.tolerations ?? []), { key, operator: 'Exists' }]
    }
  },
}

/** No pod keeps others out of more than one node. */
export const limitPodHardAntiAffinityTopology: AdmissionPlugin = {
  name: 'LimitPodHardAntiAffinityTopology',
  validate(request) {
    if (!isPodWrite(request)) return
    const { metadata, spec } = request.object as unknown as Pod
    const terms = spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
    const wide = terms.find(({ topologyKey }) => topologyKey !== HOST)
    if (!wide) return
    const why = `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wide.topologyKey} but only key ${HOST} is allowed`
    throw forbidden({ group: '', resource: 'pods' }, metadata.name ?? '', why)
  },
}

const HOST = 'kubernetes.io/hostname'

/** Nobody draws the traffic of an address to a service by naming it. */
export const denyServiceExternalIPs: AdmissionPlugin = {
  name: 'DenyServiceExternalIPs',
  validate({ operation, kind, subresource, object, old }) {
    if (kind.kind !== 'Service' || kind.group !== '' || subresource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return
    const { metadata, spec } = object as unknown as Service
    const before = new Set((old as Service | undefined)?.spec.externalIPs)
    if ((spec.externalIPs ?? []).every(address => before.has(address))) return
    throw forbidden({ group: '', resource: 'services' }, metadata.name ?? '', 'Use of external IPs is denied by admission control.')
  },
}

function isPodWrite({ operation, kind, subresource }: AdmissionRequest): boolean {
  return kind.kind === 'Pod' && kind.group === '' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')
}
