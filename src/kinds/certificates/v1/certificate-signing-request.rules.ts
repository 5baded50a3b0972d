import { draft, equal } from '#machinery/kind/draft.ts'
import type { Mutable, WriteContext } from '#machinery/kind/kind.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { timeOf } from '#machinery/time/time.ts'
import { validateSignerName } from '../../core/v1/projected-volume.rules.ts'
import { textOf } from '../../meta/v1/base64.ts'
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from './certificate-signing-request.ts'

/** Who asks is who writes, whatever the request says. */
export function prepareSigningRequest(request: Mutable<CertificateSigningRequest>, { user }: WriteContext): void {
  const { spec } = request
  spec.username = user.name
  if (user.uid) spec.uid = user.uid
  else delete spec.uid
  spec.groups = [...user.groups]
  if (spec.groups.length === 0) delete spec.groups
  if (user.extra && Object.keys(user.extra).length > 0) {
    spec.extra = Object.fromEntries(Object.entries(user.extra).map(([key, values]) => [key, [...values]]))
  } else delete spec.extra
  request.status = {}
}

/** The request stays as it was; approval and status each write their own conditions. */
export function prepareSigningRequestUpdate(
  request: Mutable<CertificateSigningRequest>,
  old: CertificateSigningRequest,
  context: WriteContext,
): void {
  request.spec = draft(old.spec)
  const conditions = request.status.conditions
  if (context.subresource === 'approval') request.status = { ...draft(old.status), ...(conditions ? { conditions } : {}) }
  if (context.subresource === 'status') for (const type of VERDICTS) keepConditions(request, old, type)
  for (const condition of request.status.conditions ?? []) stamp(condition, old, context.now)
}

const VERDICTS = ['Approved', 'Denied']

/** Who writes the status sends verdicts along, and does not change them; one more or less is for validation to refuse. */
function keepConditions(request: Mutable<CertificateSigningRequest>, old: CertificateSigningRequest, type: string): void {
  const before = (old.status.conditions ?? []).filter(condition => condition.type === type)
  const { conditions = [] } = request.status
  if (conditions.filter(condition => condition.type === type).length !== before.length || before.length === 0) return
  let next = 0
  request.status.conditions = conditions.map(condition => (condition.type === type ? draft(before[next++]!) : condition))
}

function stamp(condition: Mutable<CertificateSigningRequestCondition>, old: CertificateSigningRequest, now: number): void {
  const before = old.status.conditions?.find(({ type }) => type === condition.type)
  condition.lastUpdateTime ??= timeOf(now)
  if (condition.lastTransitionTime) return
  condition.lastTransitionTime = before?.status === condition.status && before.lastTransitionTime ? before.lastTransitionTime : timeOf(now)
}

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

export function validateSigningRequest({ spec, status }: CertificateSigningRequest, errors: FieldErrors): void {
  const at = errors.at('spec')
  const wrong = requestError(spec.request)
  if (wrong !== undefined) at.at('request').invalid(spec.request, wrong)
  const { usages = [], signerName, expirationSeconds } = spec
  if (usages.length === 0) at.at('usages').required()
  usages.forEach((usage, index) => {
    if (!USAGES.includes(usage)) at.at('usages').index(index).notSupported(usage, USAGES)
    if (usages.indexOf(usage) < index) at.at('usages').index(index).duplicate(usage)
  })
  if (signerName === 'kubernetes.io/legacy-unknown') {
    at.at('signerName').invalid(signerName, 'the legacy signerName is not allowed via this API version')
  } else validateSignerName(signerName, at.at('signerName'))
  if (expirationSeconds !== undefined && expirationSeconds < 600) {
    at.at('expirationSeconds').invalid(expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)')
  }
  validateConditions(status.conditions ?? [], errors.at('status').at('conditions'))
}

/** A certificate request in PEM; what is inside is the signer's to judge. */
function requestError(base64: string): string | undefined {
  const text = base64 === '' ? '' : textOf(base64)
  const type = /-----BEGIN ([^-]+)-----[\s\S]+-----END \1-----/.exec(text)?.[1]
  return type === 'CERTIFICATE REQUEST' ? undefined : 'PEM block type must be CERTIFICATE REQUEST'
}

function validateConditions(conditions: readonly CertificateSigningRequestCondition[], errors: FieldErrors): void {
  const seen = new Set<string>()
  conditions.forEach(({ type, status }, index) => {
    const at = errors.index(index)
    if (type === '') at.at('type').required()
    else if (seen.has(type)) at.at('type').duplicate(type)
    seen.add(type)
    if ((type === 'Approved' || type === 'Denied' || type === 'Failed') && status !== 'True') {
      if ((status as string) === '') at.at('status').required()
      else at.at('status').notSupported(status, ['True'])
    } else if (!['True', 'False', 'Unknown'].includes(status)) {
      if ((status as string) === '') at.at('status').required()
      else at.at('status').notSupported(status, ['False', 'True', 'Unknown'])
    }
    if (type === 'Denied' && seen.has('Approved')) at.at('type').invalid(type, 'Approved and Denied conditions are mutually exclusive')
    if (type === 'Approved' && seen.has('Denied')) at.at('type').invalid(type, 'Denied and Approved conditions are mutually exclusive')
  })
}

/** A verdict is final. */
export function validateSigningRequestUpdate(
  { status }: CertificateSigningRequest,
  old: CertificateSigningRequest,
  errors: FieldErrors,
  subresource: string,
): void {
  validateConditions(status.conditions ?? [], errors.at('status').at('conditions'))
  for (const type of ['Approved', 'Denied', 'Failed']) {
    const before = (old.status.conditions ?? []).filter(condition => condition.type === type)
    const after = (status.conditions ?? []).filter(condition => condition.type === type)
    const at = errors.at('status').at('conditions')
    if (after.length < before.length) at.forbidden(`updates may not remove a condition of type "${type}"`)
    else if (subresource !== 'approval' && VERDICTS.includes(type)) {
      if (after.length > before.length) at.forbidden(`updates may not add a condition of type "${type}"`)
      else if (!equal(before, after)) at.forbidden(`updates may not modify a condition of type "${type}"\n@@ -1 +1 @@`)
    }
  }
  if (old.status.certificate && status.certificate !== old.status.certificate) {
    errors.at('status').at('certificate').forbidden('updates may not set certificate content, existing content must be preserved')
  }
}
