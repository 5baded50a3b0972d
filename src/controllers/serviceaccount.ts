import { Namespace } from '#kinds/core/v1/namespace.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { hasCause, isAlreadyExists } from '#machinery/status/status-error.ts'
import { defineController, whole } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'

/** Gives every namespace its service account `default`, under which pods run that name no other. */
export const serviceAccountController = defineController({
  name: 'serviceaccount-controller',
  reconciles: Namespace,
  watches: [mapped(ServiceAccount, ({ metadata }) => (metadata.name === 'default' ? [`/${metadata.namespace}`] : []))],
  writes: [whole(ServiceAccount)],
  async reconcile(namespace, { client, get }) {
    const { name = '', deletionTimestamp } = namespace.metadata
    if (deletionTimestamp || namespace.status.phase === 'Terminating' || get(ServiceAccount, name, 'default')) return
    try {
      await client.create(ServiceAccount, { metadata: { name: 'default', namespace: name } })
    } catch (error) {
      if (!isAlreadyExists(error) && !hasCause(error, 'NamespaceTerminating')) throw error
    }
  },
})
