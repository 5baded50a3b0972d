import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { equal } from '#machinery/kind/draft.ts'
import { controllerReference } from '#machinery/meta/object-meta.ts'
import { hasCause, isNotFound } from '#machinery/status/status-error.ts'
import { MANAGED_BY, SERVICE_NAME } from './endpointslice.plan.ts'
import { mirrorOf } from './endpointslice-mirroring.plan.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'
import { hasSelector } from './service-endpoints.ts'

const MIRROR = 'endpointslicemirroring-controller.k8s.io'
const SKIP = 'endpointslice.kubernetes.io/skip-mirror'
const LEADER = 'control-plane.alpha.kubernetes.io/leader'
const BY_ENDPOINTS = 'mirrorOfEndpoints'

/** Shows endpoints that somebody writes by hand as slices, which is what everybody reads. */
export const endpointSliceMirroringController = defineController({
  name: 'endpointslice-mirroring-controller',
  reconciles: Endpoints,
  watches: [
    mapped(Service, ({ metadata }) => [`${metadata.namespace}/${metadata.name}`]),
    mapped(EndpointSlice, slice => keysOf(slice), { [BY_ENDPOINTS]: slice => keysOf(slice) }),
  ],
  writes: [whole(EndpointSlice)],
  async reconcile(endpoints, tools) {
    const { client, get, list } = tools
    const { namespace = '', name = '', labels = {}, annotations = {} } = endpoints.metadata
    const service = get(Service, namespace, name)
    const present = list(EndpointSlice, { index: [BY_ENDPOINTS, `${namespace}/${name}`] })
    const isMirrored = service && !hasSelector(service) && labels[SKIP] !== 'true' && annotations[LEADER] === undefined
    const wanted = isMirrored ? mirrorOf(endpoints) : []
    const left = new Set(present)
    try {
      for (const { addressType, ports, endpoints: members } of wanted) {
        const same = [...left].find(slice => slice.addressType === addressType && equal(slice.ports ?? [], ports))
        const own = { ...labels, [SERVICE_NAME]: name, [MANAGED_BY]: MIRROR }
        if (!same) {
          const metadata = { generateName: `${name}-`, namespace, labels: own, ownerReferences: [controllerReference(endpoints)] }
          await client.create(EndpointSlice, { metadata, addressType, ports, endpoints: members })
          continue
        }
        left.delete(same)
        if (equal(same.endpoints ?? [], members) && equal(same.metadata.labels, own)) continue
        await client.update(EndpointSlice, { ...same, metadata: { ...same.metadata, labels: own }, endpoints: members })
      }
      for (const slice of left) {
        await client.delete(EndpointSlice, slice).catch(error => {
          if (!isNotFound(error)) throw error
        })
      }
    } catch (error) {
      if (!hasCause(error, 'NamespaceTerminating')) throw error
    }
  },
})

function keysOf({ metadata }: EndpointSlice): string[] {
  return metadata.labels?.[MANAGED_BY] === MIRROR ? [`${metadata.namespace}/${metadata.labels[SERVICE_NAME] ?? ''}`] : []
}
