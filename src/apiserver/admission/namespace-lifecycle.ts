import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { forbidden, notFound } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { AdmissionPlugin } from './admission.ts'

/** Refuses to create objects in a namespace that is not there or is being deleted. */
export function namespaceLifecycle(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    admit({ operation, kind, namespace, name, subresource }) {
      if (operation !== 'CREATE' || kind.scope === 'Cluster' || namespace === '' || subresource !== '' || ALLOWED.has(kind.plural)) return
      const found = informers().of(Namespace).get('', namespace)
      if (!found) throw notFound({ group: '', resource: 'namespaces' }, namespace)
      if (found.metadata.deletionTimestamp === undefined) return
      const why = `unable to create new content in namespace ${namespace} because it is being terminated`
      const refusal = forbidden({ group: kind.group, resource: kind.plural }, name, why)
      const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }
      throw new StatusError({ code: 403, reason: 'Forbidden', message: refusal.message, details: { ...refusal.details, causes: [cause] } })
    },
  }
}

/** Questions about access are asked in any namespace. */
const ALLOWED = new Set(['localsubjectaccessreviews'])
