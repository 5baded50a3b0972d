import { type Certificate, readCertificate } from '#base/pki/certificate.ts'
import { readCertificationRequest } from '#base/pki/certification-request.ts'
import { pemBlocks } from '#base/pki/pem.ts'
import { readPublicKey } from '#base/pki/public-key.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { OMITTED } from '#machinery/status/field-error.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { timeOf } from '#machinery/time/time.ts'
import { bytesOf } from '../../meta/v1/base64.ts'
import { validateConditions } from '../../meta/v1/conditions.rules.ts'
import type { PodCertificateRequest, PodCertificateRequestSpec, PodCertificateRequestStatus } from './pod-certificate-request.ts'

const VERDICTS = ['Issued', 'Denied', 'Failed']
const MAX_CHAIN_BYTES = 100 * 1024
const [MINUTES_5_MS, MINUTES_10_MS, HOUR_MS] = [5 * 60_000, 10 * 60_000, 3_600_000]

/** A verdict that was given stays as it was; a new one has the time of the write, unless it has one. */
export function preparePodCertificateRequestStatus(request: Mutable<PodCertificateRequest>, old: PodCertificateRequest, now: number): void {
  const { conditions } = request.status
  if (!conditions) return
  request.status.conditions = conditions.map(condition => {
    const before = old.status.conditions?.find(({ type }) => type === condition.type)
    return before ? draft(before) : { ...condition, lastTransitionTime: condition.lastTransitionTime ?? timeOf(now) }
  })
}

/** There is one verdict, and it stays. A certificate is for the key of the request, and the times told of it are its own. */
export function validatePodCertificateRequestStatus(
  { spec, status }: PodCertificateRequest,
  old: PodCertificateRequest,
  errors: FieldErrors,
  now: number,
): void {
  const sound = errors.all.length
  const { conditions = [] } = status
  conditions.forEach(({ type, status: holds }, index) => {
    const at = errors.at('conditions').index(index)
    if (!VERDICTS.includes(type)) at.at('type').notSupported(type, VERDICTS)
    else {
      if (index > 0) at.at('type').invalid(type, 'There may be at most one condition with type "Issued", "Denied", or "Failed"')
      if (holds !== 'True') at.at('status').notSupported(holds, ['True'])
    }
  })
  validateConditions(conditions, errors.at('conditions'))
  if (errors.all.length > sound) return
  const [verdict] = conditions
  if ((old.status.conditions ?? []).length > 0) {
    if (!equal(status, old.status)) errors.invalid(OMITTED, 'immutable after PodCertificateRequest is issued, denied, or failed')
  } else if (!verdict) {
    if (!equal(status, old.status)) errors.invalid(OMITTED, 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"')
  } else if (verdict.type !== 'Issued') {
    if (!equal(status, { conditions }))
      errors.invalid(OMITTED, 'non-condition status fields must be empty when denying or failing the PodCertificateRequest')
  } else validateIssued(spec, status, errors, now)
}

/** What is wrong first is told, as what comes after hangs on it. */
function validateIssued(spec: PodCertificateRequestSpec, status: PodCertificateRequestStatus, errors: FieldErrors, now: number): void {
  const at = errors.at('certificateChain')
  const { certificateChain: chain = '' } = status
  if (chain.length > MAX_CHAIN_BYTES) {
    at.tooLong(MAX_CHAIN_BYTES)
    return
  }
  const blocks = pemBlocks(chain)
  const [leaf, ...rest] = blocks.map(({ der }) => readCertificate(der))
  if (blocks.length === 0) at.invalid(chain, 'issued certificate chain must contain at least one certificate')
  else if (blocks.some(({ type }) => type !== 'CERTIFICATE')) {
    at.invalid(chain, 'issued certificate chain must consist entirely of CERTIFICATE PEM blocks')
  } else if (!leaf) at.invalid(chain, 'leaf certificate does not parse as valid X.509')
  else if (rest.includes(undefined)) at.invalid(chain, 'intermediate certificate does not parse as valid X.509')
  else {
    validateNames(leaf, at)
    if (leaf.publicKey.spki === keyOf(spec)) validateTimes(spec, status, leaf, errors, now)
    else at.invalid(chain, 'leaf certificate was not issued to the requested public key')
  }
}

function keyOf({ stubPKCS10Request, pkixPublicKey = '' }: PodCertificateRequestSpec): string | undefined {
  const key = stubPKCS10Request ? readCertificationRequest(bytesOf(stubPKCS10Request))?.publicKey : readPublicKey(bytesOf(pkixPublicKey))
  return key?.spki
}

function validateNames({ dnsNames, emailAddresses }: Certificate, errors: FieldErrors): void {
  for (const name of dnsNames) {
    if (name === '') errors.invalid(name, 'leaf certificate should not contain empty DNSName')
    if (name.includes('..')) errors.invalid(name, "leaf certificate's DNSName should not contain '..'")
    if (name.startsWith('.') || name.endsWith('.')) errors.invalid(name, "leaf certificate's DNSName should not start or end with '.'")
  }
  for (const address of emailAddresses) {
    if (!/^[^\s@<>()[\],;:\\"]+@[^\s@<>()[\],;:\\"]+$/.test(address))
      errors.invalid(address, 'leaf certificate should not contain invalid EmailAddress')
  }
}

function validateTimes(
  { maxExpirationSeconds }: PodCertificateRequestSpec,
  { notBefore, notAfter, beginRefreshAt }: PodCertificateRequestStatus,
  leaf: Certificate,
  errors: FieldErrors,
  now: number,
): void {
  if (!notBefore) errors.at('notBefore').required('must be present and consistent with the issued certificate')
  if (!notAfter) errors.at('notAfter').required('must be present and consistent with the issued certificate')
  if (!beginRefreshAt) errors.at('beginRefreshAt').required('must be present and in the range [notbefore+10min, notafter-10min]')
  if (!notBefore || !notAfter || !beginRefreshAt) return
  const refresh = Date.parse(beginRefreshAt)
  if (Date.parse(notBefore) !== leaf.notBefore) {
    errors.at('notBefore').invalid(notBefore, 'must be set to the NotBefore time encoded in the leaf certificate')
  } else if (Math.abs(leaf.notBefore - now) >= MINUTES_5_MS) {
    errors.at('notBefore').invalid(notBefore, "must be set to within 5 minutes of kube-apiserver's current time")
  } else if (Date.parse(notAfter) !== leaf.notAfter) {
    errors.at('notAfter').invalid(notAfter, 'must be set to the NotAfter time encoded in the leaf certificate')
  } else if (leaf.notAfter - leaf.notBefore < HOUR_MS) {
    errors.at('certificateChain').invalid(lifetimeOf(leaf), 'leaf certificate lifetime must be >= 1 hour')
  } else if (leaf.notAfter - leaf.notBefore > maxExpirationSeconds * 1000) {
    const detail = `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${maxExpirationSeconds})`
    errors.at('certificateChain').invalid(lifetimeOf(leaf), detail)
  } else if (refresh < leaf.notBefore + MINUTES_10_MS) {
    errors.at('beginRefreshAt').invalid(beginRefreshAt, 'must be at least 10 minutes after status.notBefore')
  } else if (refresh > leaf.notAfter - MINUTES_10_MS) {
    errors.at('beginRefreshAt').invalid(beginRefreshAt, 'must be at least 10 minutes before status.notAfter')
  }
}

/** In nanoseconds, as Go keeps durations. */
function lifetimeOf({ notBefore, notAfter }: Certificate): number {
  return (notAfter - notBefore) * 1e6
}
