import { equal } from '#machinery/kind/draft.ts'
import { nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateSignerName } from '../../core/v1/projected-volume.rules.ts'
import type { PodCertificateRequest } from './pod-certificate-request.ts'

const [HOUR_SECONDS, DAYS_91_SECONDS] = [3600, 91 * 24 * 3600]
const MAX_KEY_BYTES = 10 * 1024
const VERDICTS = ['Issued', 'Denied', 'Failed']

/** Names, uids and sizes. Whether pod, account and node are these, and whether the key is the asker's, admission looks up. */
export function validatePodCertificateRequest({ spec }: PodCertificateRequest, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateSignerName(spec.signerName, at.at('signerName'))
  for (const [name, uid] of [
    ['podName', 'podUID'],
    ['serviceAccountName', 'serviceAccountUID'],
    ['nodeName', 'nodeUID'],
  ] as const) {
    at.at(name).invalidEach(spec[name], nameIsDNSSubdomain(spec[name], false))
    if (spec[uid] === '') at.at(uid).invalid(spec[uid], 'must not be empty')
    else if (spec[uid].length > 128) at.at(uid).tooLong(128)
  }
  const { maxExpirationSeconds } = spec
  if (maxExpirationSeconds < HOUR_SECONDS)
    at.at('maxExpirationSeconds').invalid(maxExpirationSeconds, `must be in the range [${HOUR_SECONDS}, ${DAYS_91_SECONDS}]`)
  if (maxExpirationSeconds > DAYS_91_SECONDS)
    at.at('maxExpirationSeconds').invalid(maxExpirationSeconds, `must be in the range [${HOUR_SECONDS}, ${DAYS_91_SECONDS}]`)
  for (const name of ['stubPKCS10Request', 'pkixPublicKey', 'proofOfPossession'] as const)
    if ((spec[name]?.length ?? 0) > (MAX_KEY_BYTES * 4) / 3) at.at(name).tooLong(MAX_KEY_BYTES)
  if (spec.stubPKCS10Request === '') at.at('stubPKCS10Request').required()
}

/** There is one verdict, and it stays. A certificate comes with the times between which it is good. */
export function validatePodCertificateRequestStatus(
  { status }: PodCertificateRequest,
  old: PodCertificateRequest,
  errors: FieldErrors,
): void {
  const verdicts = (status.conditions ?? []).filter(({ type }) => VERDICTS.includes(type))
  const before = (old.status.conditions ?? []).filter(({ type }) => VERDICTS.includes(type))
  status.conditions?.forEach(({ type }, index) => {
    if (!VERDICTS.includes(type)) errors.at('conditions').index(index).at('type').notSupported(type, VERDICTS)
  })
  if (before.length > 0 && !equal(status, old.status)) {
    errors.invalid('<value omitted>', 'immutable after a verdict is given')
    return
  }
  if (verdicts.length > 1)
    errors.at('conditions').invalid('<value omitted>', `There may be at most one condition with type ${VERDICTS.join(', ')}`)
  const isIssued = verdicts.some(({ type }) => type === 'Issued')
  const [from, refresh, until] = [status.notBefore, status.beginRefreshAt, status.notAfter]
  if (!isIssued) {
    if (status.certificateChain) errors.at('certificateChain').invalid('<value omitted>', 'must not be set unless the request is issued')
    return
  }
  if (!status.certificateChain) errors.at('certificateChain').required('must be set when the request is issued')
  if (!from) errors.at('notBefore').required('must be present and consistent with the issued certificate')
  if (!until) errors.at('notAfter').required('must be present and consistent with the issued certificate')
  if (!refresh) errors.at('beginRefreshAt').required('must be present and consistent with the issued certificate')
  if (from && until && refresh && !(Date.parse(from) <= Date.parse(refresh) && Date.parse(refresh) <= Date.parse(until)))
    errors.at('beginRefreshAt').invalid(refresh, 'must be between notBefore and notAfter')
}
