import { bootstrapTokenOf } from '#kinds/core/v1/bootstrap-token.facts.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { isConflict, isNotFound } from '#machinery/status/status-error.ts'
import { defineController, whole } from './runtime/define-controller.ts'

/** Deletes bootstrap tokens when their time has come. */
export const tokenCleanerController = defineController({
  name: 'token-cleaner-controller',
  reconciles: Secret,
  writes: [whole(Secret)],
  async reconcile(secret, { client, now, again }) {
    const expiresMs = bootstrapTokenOf(secret)?.expiresMs
    if (expiresMs === undefined || secret.metadata.deletionTimestamp) return
    if (expiresMs > now) return again(expiresMs - now)
    // Its time may have been moved since the cache saw it.
    const { uid, resourceVersion } = secret.metadata
    await client.delete(Secret, secret, { preconditions: { uid, resourceVersion } }).catch(error => {
      if (!isNotFound(error) && !isConflict(error)) throw error
    })
  },
})
