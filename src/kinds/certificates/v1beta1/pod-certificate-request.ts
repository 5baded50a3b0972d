import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  bytes,
  defaulted,
  int32,
  map,
  message,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
  time,
} from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { conditions } from '../../meta/v1/conditions.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { validatePodCertificateRequest } from './pod-certificate-request.rules.ts'
import { preparePodCertificateRequestStatus, validatePodCertificateRequestStatus } from './pod-certificate-request-status.rules.ts'

export const PodCertificateRequestSpec = message('io.k8s.api.certificates.v1beta1.PodCertificateRequestSpec', {
  signerName: required(1, string, 'Who signs.'),
  podName: required(2, string, 'The pod.'),
  podUID: required(3, string, 'The uid of the pod.'),
  serviceAccountName: required(4, string, 'The service account of the pod.'),
  serviceAccountUID: required(5, string, 'The uid of the service account.'),
  nodeName: required(6, string, 'The node on which the pod is.'),
  nodeUID: required(7, string, 'The uid of the node.'),
  maxExpirationSeconds: defaulted(8, int32, 86_400, 'How long the certificate may be good at most.'),
  pkixPublicKey: omitempty(9, bytes, 'The public key, as PKIX; from before there was a stub of a request.'),
  proofOfPossession: omitempty(10, bytes, 'The uid of the pod, signed with the key; from before there was a stub of a request.'),
  unverifiedUserAnnotations: omitempty(11, map(string), 'What the maker of the pod tells the signer; nobody has checked it.'),
  stubPKCS10Request: required(12, bytes, 'A request for a certificate, of which only key and signature count; signed with the key.'),
})
export interface PodCertificateRequestSpec extends StoredOf<typeof PodCertificateRequestSpec> {}

export const PodCertificateRequestStatus = message('io.k8s.api.certificates.v1beta1.PodCertificateRequestStatus', {
  conditions: omitempty(1, conditions, 'Whether it was issued, denied or has failed.'),
  certificateChain: omitempty(2, string, 'The certificate and those it hangs on, in PEM.'),
  notBefore: optional(4, time, 'From when it is good.'),
  beginRefreshAt: optional(5, time, 'From when another is to be asked for.'),
  notAfter: optional(6, time, 'Until when it is good.'),
})
export interface PodCertificateRequestStatus extends StoredOf<typeof PodCertificateRequestStatus> {}

export interface PodCertificateRequest extends ObjectWith<{ spec: PodCertificateRequestSpec; status: PodCertificateRequestStatus }> {}

export const PodCertificateRequest = defineKind({
  documentation: 'What a kubelet asks for so that a pod has a certificate.',
  group: 'certificates.k8s.io',
  version: 'v1beta1',
  kind: 'PodCertificateRequest',
  plural: 'podcertificaterequests',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.certificates.v1beta1',
  unconditionalUpdate: false,
  subresources: [statusSubresource],
  spec: PodCertificateRequestSpec,
  status: PodCertificateRequestStatus,
  columns: [
    nameColumn,
    { name: 'PodName', description: 'The pod.', of: ({ spec }) => spec.podName },
    { name: 'ServiceAccountName', description: 'Its service account.', of: ({ spec }) => spec.serviceAccountName },
    { name: 'NodeName', description: 'Its node.', of: ({ spec }) => spec.nodeName },
    { name: 'SignerName', description: 'Who signs.', of: ({ spec }) => spec.signerName },
    { name: 'State', description: 'What became of it.', of: ({ status }) => stateOf(status) },
    ageColumn,
  ],
  selectableFields: {
    'spec.signerName': ({ spec }) => spec.signerName,
    'spec.podName': ({ spec }) => spec.podName,
    'spec.nodeName': ({ spec }) => spec.nodeName,
  },
  prepareCreate(request) {
    request.status = {}
  },
  prepareUpdate(request, old, { subresource, now }) {
    if (subresource === 'status') preparePodCertificateRequestStatus(request, old, now)
  },
  validateCreate: validatePodCertificateRequest,
  validateUpdate(request, old, errors, subresource, { now }) {
    validateImmutable(request.spec, old.spec, errors.at('spec'))
    if (subresource === 'status') validatePodCertificateRequestStatus(request, old, errors.at('status'), now)
  },
})

function stateOf({ conditions = [] }: PodCertificateRequestStatus): string {
  return conditions.find(({ type, status }) => status === 'True' && ['Issued', 'Denied', 'Failed'].includes(type))?.type ?? 'Pending'
}
