import { PodCertificateRequest } from '#kinds/certificates/v1beta1/pod-certificate-request.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { defineController, whole } from './runtime/define-controller.ts'

/** Nobody waits longer for a certificate: who still needs one has asked anew. */
const KEPT_MS = 15 * 60_000

/** Deletes what kubelets have asked for on behalf of pods, some time after it was asked. */
export const podCertificateRequestCleanerController = defineController({
  name: 'podcertificaterequest-cleaner-controller',
  featureGates: ['PodCertificateRequest'],
  reconciles: PodCertificateRequest,
  writes: [whole(PodCertificateRequest)],
  async reconcile(request, { client, now, again }) {
    const { uid, creationTimestamp = '' } = request.metadata
    const dueMs = Date.parse(creationTimestamp) + KEPT_MS
    if (dueMs > now) return again(dueMs - now)
    await client.delete(PodCertificateRequest, request, { preconditions: { uid } }).catch(error => {
      if (!isNotFound(error)) throw error
    })
  },
})
