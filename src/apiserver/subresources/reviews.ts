import { objectFrom } from '../registry/body.ts'
import type { Review } from '../reviews/review.ts'
import type { SubresourceHandler } from './subresource.ts'

/** A review as the POST of its kind: the object with its status comes back, nothing is stored. */
export function reviewHandler(review: Review): SubresourceHandler {
  return {
    group: review.group,
    resource: review.resource,
    name: '',
    async create(core, call) {
      const { kind, namespace, name } = call.target
      const object = objectFrom({ value: call.body }, { ...call, kind, namespace, name, subresource: '' }, core.kinds)
      const metadata =
        kind.scope === 'Namespaced' ? { ...object.metadata, namespace: object.metadata.namespace ?? namespace } : object.metadata
      const asked = { ...object, metadata }
      return { object: { ...asked, status: await review.answer(asked, call.caller) }, code: 201 }
    },
  }
}
