import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { objectFrom } from '../registry/body.ts'
import { timestamp } from '../registry/core.ts'
import { placeIn } from '../registry/create.ts'
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
      const request = { ...call, kind, namespace, name, subresource: '' }
      const object = objectFrom({ value: call.body }, request, core.kinds) as Mutable<ApiObject>
      placeIn(object, request)
      // Who asks about himself is told when: upstream does so there alone.
      if (review.resource === 'selfsubjectreviews') object.metadata.creationTimestamp = timestamp(core.clock.now())
      return { object: { ...object, status: await review.answer(object, call.caller) }, code: 201 }
    },
  }
}
