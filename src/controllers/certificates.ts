import { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'
import { CertificateSigningRequest } from '#kinds/certificates/v1/certificate-signing-request.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import { expiryOf, hasCondition, KUBELET_CLIENT, kubeletClientRefusal, OWN_SIGNERS, refusal } from './certificates.plan.ts'
import { defineController, status, type Tools, type Written, whole } from './runtime/define-controller.ts'
import { textOfError } from './runtime/text-of-error.ts'

const APPROVAL: Written = { kind: CertificateSigningRequest, subresource: 'approval' }

/** Approves kubelets' requests for client certificates where the one who asks may have them. */
export const certificateSigningRequestApprovingController = defineController({
  name: 'certificatesigningrequest-approving-controller',
  reconciles: CertificateSigningRequest,
  writes: [APPROVAL, whole(SubjectAccessReview)],
  async reconcile(request, tools) {
    const { certificateSigner } = tools.parameters
    const isDecided = hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || request.status.certificate
    if (!certificateSigner || isDecided || request.spec.signerName !== KUBELET_CLIENT) return
    const asked = await certificateSigner.parse(atob(request.spec.request)).catch(() => undefined)
    if (!asked || kubeletClientRefusal(asked, request.spec.usages) !== undefined) return
    const isOwn = asked.commonName === request.spec.username
    const permissions = isOwn ? ['selfnodeclient', 'nodeclient'] : ['nodeclient']
    for (const subresource of permissions) {
      if (!(await isAllowed(request, subresource, tools))) continue
      const kind = subresource === 'selfnodeclient' ? 'self kubelet client' : 'kubelet client'
      await approve(request, `Auto approving ${kind} certificate after SubjectAccessReview.`, tools)
      return
    }
    throw new Error(
      `recognized the request ${request.metadata.name} as one for a kubelet's client certificate, but its maker may not have one`,
    )
  },
})

/** Signs requests that were approved. */
export const certificateSigningRequestSigningController = defineController({
  name: 'certificatesigningrequest-signing-controller',
  reconciles: CertificateSigningRequest,
  writes: [status(CertificateSigningRequest)],
  async reconcile(request, tools) {
    const { certificateSigner, certificateDurationMs } = tools.parameters
    const { spec, status } = request
    if (!certificateSigner || !OWN_SIGNERS.has(spec.signerName) || status.certificate) return
    if (!hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return
    const requestPem = atob(spec.request)
    const why = await certificateSigner.parse(requestPem).then(
      asked => refusal(request, asked),
      error => `unable to parse csr: ${textOfError(error)}`,
    )
    if (why !== undefined) {
      // A request for the legacy signer may mean another one: it is left as it is.
      if (spec.signerName === 'kubernetes.io/legacy-unknown') return
      const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: why, ...timesOf(tools) }
      await tools.updateStatus(CertificateSigningRequest, request, { ...status, conditions: [...(status.conditions ?? []), failed] })
      return
    }
    const durationMs = Math.min(certificateDurationMs, (spec.expirationSeconds ?? Number.POSITIVE_INFINITY) * 1000)
    const pem = await certificateSigner.sign({ requestPem, signerName: spec.signerName, usages: spec.usages ?? [], durationMs })
    await tools.updateStatus(CertificateSigningRequest, request, { ...status, certificate: btoa(pem) })
  },
})

/** Deletes requests that have outlived their use: pending for a day, decided for an hour, or with an ended certificate. */
export const certificateSigningRequestCleanerController = defineController({
  name: 'certificatesigningrequest-cleaner-controller',
  reconciles: CertificateSigningRequest,
  writes: [whole(CertificateSigningRequest)],
  async reconcile(request, { client, now, again, parameters }) {
    const { certificate } = request.status
    const notAfter = certificate ? await parameters.certificateSigner?.notAfter(atob(certificate)).catch(() => undefined) : undefined
    const expiresMs = expiryOf(request, notAfter)
    if (expiresMs > now) {
      again(expiresMs - now)
      return
    }
    await client.delete(CertificateSigningRequest, request, { preconditions: { uid: request.metadata.uid } }).catch(error => {
      if (!isNotFound(error)) throw error
    })
  },
})

async function isAllowed({ spec }: CertificateSigningRequest, subresource: string, { client }: Tools): Promise<boolean> {
  const { username: user, uid, groups, extra } = spec
  const resourceAttributes = {
    group: 'certificates.k8s.io',
    resource: 'certificatesigningrequests',
    verb: 'create',
    subresource,
    version: '*',
  }
  const review = await client.create(SubjectAccessReview, { spec: { user, uid, groups, extra, resourceAttributes } })
  return review.status.allowed
}

async function approve(request: CertificateSigningRequest, message: string, tools: Tools): Promise<void> {
  const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message, ...timesOf(tools) }
  const body = { ...request, status: { ...request.status, conditions: [...(request.status.conditions ?? []), approved] } }
  await tools.client.subresource(CertificateSigningRequest, request, { subresource: 'approval', verb: 'update', body })
}

const timesOf = ({ now }: Tools) => ({ lastUpdateTime: timeOf(now), lastTransitionTime: timeOf(now) })
