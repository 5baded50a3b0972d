import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { ResourcePoolStatusRequest } from '#kinds/resource/v1alpha3/resource-pool-status-request.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { isIncomplete, planPoolStatus } from './resourcepoolstatusrequest.plan.ts'
import { defineController, status, whole } from './runtime/define-controller.ts'
import { consulted } from './runtime/watches.ts'

const BY_DRIVER = 'sliceOfDriver'
const HOUR_MS = 3600_000
/** How long an answer is kept, and how long a question that nobody could answer. */
const [ANSWERED_KEPT_MS, PENDING_KEPT_MS] = [HOUR_MS, 24 * HOUR_MS]
/** A driver publishes its slices one after the other: so long, and so often, what is not there yet is waited for. */
const [WAIT_MS, WAITING_MS] = [1_000, 15_000]

/** Answers, once, how many devices a driver has and how many are free; forgets the answer after an hour. */
export const resourcePoolStatusRequestController = defineController({
  name: 'resourcepoolstatusrequest-controller',
  featureGates: ['DRAResourcePoolStatus'],
  reconciles: ResourcePoolStatusRequest,
  watches: [consulted(ResourceSlice, { [BY_DRIVER]: ({ spec }) => [spec.driver] }), consulted(ResourceClaim)],
  writes: [whole(ResourcePoolStatusRequest), status(ResourcePoolStatusRequest)],
  async reconcile(request, { client, list, now, again, updateStatus }) {
    const { uid, creationTimestamp = '' } = request.metadata
    const answeredAt = request.status?.conditions?.[0]?.lastTransitionTime
    const createdMs = Date.parse(creationTimestamp)
    const endsMs = request.status ? (answeredAt ? Date.parse(answeredAt) : createdMs) + ANSWERED_KEPT_MS : createdMs + PENDING_KEPT_MS
    if (endsMs <= now) {
      await client.delete(ResourcePoolStatusRequest, request, { preconditions: { uid } }).catch(error => {
        if (!isNotFound(error)) throw error
      })
      return
    }
    again(endsMs - now)
    if (request.status) return
    const slices = list(ResourceSlice, { index: [BY_DRIVER, request.spec.driver] })
    const answer = planPoolStatus(request, slices, list(ResourceClaim), now)
    if (isIncomplete(answer) && now < createdMs + WAITING_MS) again(WAIT_MS)
    else await updateStatus(ResourcePoolStatusRequest, request, answer)
  },
})
