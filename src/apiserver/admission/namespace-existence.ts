import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { notFound } from '#machinery/status/failures.ts'
import { isAlreadyExists } from '#machinery/status/status-error.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

/** Makes a namespace when something is created in it that is not there. */
export function namespaceAutoProvision(informers: () => Informers, client: () => Client): AdmissionPlugin {
  return {
    name: 'NamespaceAutoProvision',
    async admit(request) {
      const { operation, namespace, dryRun } = request
      if (operation !== 'CREATE' || !isInNamespace(request) || dryRun || informers().of(Namespace).get('', namespace)) return
      try {
        await client().create(Namespace, { metadata: { name: namespace } })
      } catch (error) {
        if (!isAlreadyExists(error)) throw error
      }
    },
  }
}

/** Refuses whatever is about a namespace that is not there. */
export function namespaceExists(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    validate(request) {
      const { operation, namespace } = request
      if (operation === 'CONNECT' || !isInNamespace(request) || informers().of(Namespace).get('', namespace)) return
      throw notFound({ group: '', resource: 'namespaces' }, namespace)
    },
  }
}

function isInNamespace({ kind, namespace }: AdmissionRequest): boolean {
  return namespace !== '' && kind.scope === 'Namespaced'
}
