import type { CertificateSigningRequest } from '#kinds/certificates/v1/certificate-signing-request.ts'
import type { ClusterTrustBundle } from '#kinds/certificates/v1beta1/cluster-trust-bundle.ts'
import type { PodCertificateRequest } from '#kinds/certificates/v1beta1/pod-certificate-request.ts'
import { equal } from '#machinery/kind/draft.ts'
import { forbidden, invalid } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { organizationsOf } from './certificate-subject.ts'

/** A request is approved only by who may approve for its signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    async validate(request) {
      if (!isOf(request, 'UPDATE', 'approval')) return
      const { signerName } = (request.old as CertificateSigningRequest).spec
      if (await mayFor(authorizer, request, 'approve', signerName)) return
      throw refusal(request, `user not permitted to approve requests with signerName ${quote(signerName)}`)
    },
  }
}

/** A certificate is issued only by who may sign for the signer. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    async validate(request) {
      if (!isOf(request, 'UPDATE', 'status')) return
      const { spec, status } = request.old as CertificateSigningRequest
      const next = (request.object as unknown as CertificateSigningRequest).status
      if (status.certificate === next.certificate && equal(status.conditions ?? [], next.conditions ?? [])) return
      if (await mayFor(authorizer, request, 'sign', spec.signerName)) return
      throw refusal(request, `user not permitted to sign requests with signerName ${quote(spec.signerName)}`)
    },
  }
}

/** What vouches for a signer is written only by who may attest for it. */
export function clusterTrustBundleAttest(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'ClusterTrustBundleAttest',
    async validate(request) {
      const { operation, kind, subresource, object, old } = request
      if (kind.kind !== 'ClusterTrustBundle' || kind.group !== GROUP || subresource !== '' || operation === 'DELETE') return
      const next = (object as unknown as ClusterTrustBundle).spec
      if (operation === 'UPDATE' && equal(next, (old as ClusterTrustBundle).spec)) return
      const { signerName = '' } = next
      if (signerName === '' || (await mayFor(authorizer, request, 'attest', signerName))) return
      throw refusal(request, `user not permitted to attest for signerName ${quote(signerName)}`)
    },
  }
}

/** A pod's certificate is issued, or refused, only by who may sign for the signer. */
export function podCertificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'PodCertificateRequestSigning',
    async validate(request) {
      const { operation, kind, subresource, name, user, object, old } = request
      if (operation !== 'UPDATE' || kind.kind !== 'PodCertificateRequest' || kind.group !== GROUP || subresource !== 'status') return
      const { spec, status } = old as PodCertificateRequest
      if (equal((object as unknown as PodCertificateRequest).status, status)) return
      if (await mayFor(authorizer, request, 'sign', spec.signerName)) return
      const detail = `User ${quote(user.name)} is not permitted to "sign" for signer ${quote(spec.signerName)}`
      throw invalid(kind, name, [{ type: 'FieldValueForbidden', field: 'spec.signerName', badValue: '', detail }])
    },
  }
}

/** Nobody gets a certificate of the group that may do everything. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  validate(request) {
    if (!isOf(request, 'CREATE', '')) return
    const { signerName, request: pem } = (request.object as unknown as CertificateSigningRequest).spec
    if (signerName !== 'kubernetes.io/kube-apiserver-client' || !organizationsOf(pem).includes('system:masters')) return
    throw refusal(request, `use of ${signerName} signer with system:masters group is not allowed`)
  },
}

function isOf({ operation, kind, subresource }: AdmissionRequest, wanted: string, part: string): boolean {
  return operation === wanted && subresource === part && kind.kind === 'CertificateSigningRequest' && kind.group === GROUP
}

const GROUP = 'certificates.k8s.io'

/** Whether the user has the verb for the signer, or for all signers of its domain. */
async function mayFor(authorizer: Authorizer, { user }: AdmissionRequest, verb: string, signerName: string): Promise<boolean> {
  const domain = signerName.split('/', 1)[0]!
  for (const name of [signerName, `${domain}/*`]) {
    const asked = { user, verb, group: GROUP, version: '*', resource: 'signers', subresource: '', namespace: '', name }
    if ((await authorizer.authorize(asked)).verdict === 'allow') return true
  }
  return false
}

function refusal({ kind, name, object }: AdmissionRequest, why: string) {
  return forbidden({ group: kind.group, resource: kind.plural }, name || (object?.metadata.name ?? ''), why)
}
