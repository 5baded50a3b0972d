import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isPathSegmentName } from '#machinery/meta/names.ts'
import {
  bytes,
  embedded,
  int32,
  list,
  listMap,
  map,
  message,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { humanDuration } from '../../meta/v1/human-duration.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import {
  prepareSigningRequest,
  prepareSigningRequestUpdate,
  validateSigningRequest,
  validateSigningRequestUpdate,
} from './certificate-signing-request.rules.ts'

export const CertificateSigningRequestSpec = message('io.k8s.api.certificates.v1.CertificateSigningRequestSpec', {
  request: required(1, bytes, 'The request, in PEM.'),
  signerName: required(7, string, 'Who signs.'),
  expirationSeconds: optional(8, int32, 'After how many seconds it runs out.'),
  usages: omitempty(5, list(string), 'What the key is used for.'),
  username: omitempty(2, string, 'Who asks.'),
  uid: omitempty(3, string, 'The uid of who asks.'),
  groups: omitempty(4, list(string), 'The groups of who asks.'),
  extra: omitempty(6, map(list(string)), 'More about who asks.'),
})
export interface CertificateSigningRequestSpec extends StoredOf<typeof CertificateSigningRequestSpec> {}

export const CertificateSigningRequestCondition = message('io.k8s.api.certificates.v1.CertificateSigningRequestCondition', {
  type: required(1, string, 'What this is about.'),
  status: required(6, ConditionStatus, 'Whether it holds.'),
  reason: omitempty(2, string, 'What happened, in one word.'),
  message: omitempty(3, string, 'What happened, for people.'),
  lastUpdateTime: embedded(4, timeOrNull, 'When this entry was last written.'),
  lastTransitionTime: embedded(5, timeOrNull, 'When the status last changed.'),
})
export interface CertificateSigningRequestCondition extends StoredOf<typeof CertificateSigningRequestCondition> {}

export const CertificateSigningRequestStatus = message('io.k8s.api.certificates.v1.CertificateSigningRequestStatus', {
  conditions: omitempty(
    1,
    listMap(CertificateSigningRequestCondition, ['type']),
    'What holds of the object right now, one entry per aspect.',
  ),
  certificate: omitempty(2, bytes, 'The certificate, in PEM.'),
})
export interface CertificateSigningRequestStatus extends StoredOf<typeof CertificateSigningRequestStatus> {}

export interface CertificateSigningRequest
  extends ObjectWith<{ spec: CertificateSigningRequestSpec; status: CertificateSigningRequestStatus }> {}

export const CertificateSigningRequest = defineKind({
  documentation: 'A request for a certificate.',
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  plural: 'certificatesigningrequests',
  scope: 'Cluster',
  openapi: 'io.k8s.api.certificates.v1',
  shortNames: ['csr'],
  subresources: [{ name: 'approval', verbs: ['get', 'patch', 'update'] }, statusSubresource],
  spec: CertificateSigningRequestSpec,
  status: CertificateSigningRequestStatus,
  columns: [
    nameColumn,
    ageColumn,
    {
      name: 'SignerName',
      description:
        'Requested signer for the request. It is a qualified name in the form: `scope-hostname.io/name`. If empty, it will be defaulted:\n 1. If it\'s a kubelet client certificate, it is assigned\n    "kubernetes.io/kube-apiserver-client-kubelet".\n 2. If it\'s a kubelet serving certificate, it is assigned\n    "kubernetes.io/kubelet-serving".\n 3. Otherwise, it is assigned "kubernetes.io/legacy-unknown".\nDistribution of trust for signers happens out of band. You can select on this field using `spec.signerName`.',
      of: ({ spec }) => spec.signerName || NONE,
    },
    { name: 'Requestor', description: 'Base64-encoded PKCS#10 CSR data', of: ({ spec }) => spec.username ?? '' },
    {
      name: 'RequestedDuration',
      description:
        'expirationSeconds is the requested duration of validity of the issued certificate. The certificate signer may issue a certificate with a different validity duration so a client must check the delta between the notBefore and and notAfter fields in the issued certificate to determine the actual duration.\n\nThe v1.22+ in-tree implementations of the well-known Kubernetes signers will honor this field as long as the requested duration is not greater than the maximum duration they will honor per the --cluster-signing-duration CLI flag to the Kubernetes controller manager.\n\nCertificate signers may not honor this field for various reasons:\n\n  1. Old signer that is unaware of the field (such as the in-tree\n     implementations prior to v1.22)\n  2. Signer whose configured maximum is shorter than the requested duration\n  3. Signer whose configured minimum is longer than the requested duration\n\nThe minimum valid value for expirationSeconds is 600, i.e. 10 minutes.',
      of: ({ spec }) => (spec.expirationSeconds === undefined ? NONE : humanDuration(spec.expirationSeconds * 1000)),
    },
    {
      name: 'Condition',
      description: 'Conditions applied to the request, such as approval or denial.',
      of: ({ status }) => conditionText(status),
    },
  ],
  prepareCreate: prepareSigningRequest,
  prepareUpdate: prepareSigningRequestUpdate,
  validate: validateSigningRequest,
  validateUpdate: validateSigningRequestUpdate,
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName },
  validateName: isPathSegmentName,
})

function conditionText({ conditions = [], certificate }: CertificateSigningRequestStatus): string {
  const has = (type: string) => conditions.some(condition => condition.type === type)
  const parts = [has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending']
  if (has('Failed')) parts.push('Failed')
  if (certificate) parts.push('Issued')
  return parts.join(',')
}
