import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { equal } from '#machinery/kind/draft.ts'
import { hasCause, isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'
import { endpointsAnnotations, endpointsLabels, isOverCapacity, OVER_CAPACITY, planSubsets } from './endpoints.plan.ts'
import { podsBehindServices } from './endpointslice.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { mapped } from './runtime/watches.ts'
import { hasSelector, serviceSelector } from './service-endpoints.ts'

/** Keeps the elder form of a Service's endpoints: one object with all of them. */
export const endpointsController = defineController({
  name: 'endpoints-controller',
  component: 'endpoint-controller',
  reconciles: Service,
  watches: [podsBehindServices(), mapped(Endpoints, ({ metadata }) => [`${metadata.namespace}/${metadata.name}`])],
  writes: [whole(Endpoints)],
  async reconcile(service, tools) {
    const { client, list, get, events } = tools
    const { namespace = '', name = '', deletionTimestamp } = service.metadata
    if (deletionTimestamp || !hasSelector(service) || service.spec.type === 'ExternalName') return
    const pods = list(Pod, { namespace, selector: serviceSelector(service) })
    const wanted = planSubsets(service, pods)
    const present = get(Endpoints, namespace, name)
    const labels = endpointsLabels(service)
    const annotations = endpointsAnnotations(service, present, pods, isOverCapacity(wanted))
    const isSame = present && equal(present.subsets ?? [], wanted.subsets) && equal(present.metadata.labels ?? {}, labels)
    const hasCapacityNote = present?.metadata.annotations?.[OVER_CAPACITY] !== undefined
    if (isSame && hasCapacityNote === isOverCapacity(wanted)) return
    try {
      if (present)
        await client.update(Endpoints, { ...present, metadata: { ...present.metadata, labels, annotations }, subsets: wanted.subsets })
      else await client.create(Endpoints, { metadata: { name, namespace, labels, annotations }, subsets: wanted.subsets })
    } catch (error) {
      if (hasCause(error, 'NamespaceTerminating')) return
      const what = present ? 'FailedToUpdateEndpoint' : 'FailedToCreateEndpoint'
      const verb = present ? 'update' : 'create'
      const text = textOfError(error)
      if (!isAlreadyExists(error)) events.record(service, 'Warning', what, `Failed to ${verb} endpoint ${namespace}/${name}: ${text}`)
      throw error
    }
  },
  /** Endpoints go with their service; they carry no owner, so nobody else deletes them. */
  async gone({ namespace, name }, { client, get }) {
    const present = get(Endpoints, namespace, name)
    if (!present || present.metadata.annotations?.['control-plane.alpha.kubernetes.io/leader'] !== undefined) return
    if (present.metadata.labels?.['endpoints.kubernetes.io/managed-by'] !== 'endpoint-controller') return
    await client.delete(Endpoints, { namespace, name }).catch(error => {
      if (!isNotFound(error)) throw error
    })
  },
})
