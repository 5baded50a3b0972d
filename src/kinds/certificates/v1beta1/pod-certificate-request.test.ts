import { describe, expect, it } from 'vitest'
import { readCertificate } from '#base/pki/certificate.ts'
import { certificateAuthority, newAuthority, newCertificateRequest } from '#base/pki/certificate-authority.ts'
import { proofOf } from '#base/pki/key-pair.fixture.ts'
import { pemBlocks } from '#base/pki/pem.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { textOf } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { stored, updateErrorsOf } from '../../stored.fixture.ts'
import { PodCertificateRequest, type PodCertificateRequestStatus } from './pod-certificate-request.ts'

const uids = { podUID: 'pod-uid', serviceAccountUID: 'account-uid', nodeUID: 'node-uid' }
const names = { podName: 'p', serviceAccountName: 'default', nodeName: 'n' }
const clock = virtualClock()
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

const requestOf = (spec: object) =>
  stored(PodCertificateRequest, {
    metadata: { name: 'r', namespace: 'default' },
    spec: { signerName: 'example.com/s', ...names, ...uids, ...spec },
  } as never)

function errorsOfNew(spec: object): string[] {
  const errors = new FieldErrors()
  PodCertificateRequest.hooks.validateCreate?.(requestOf(spec), errors)
  return errors.all.map(textOf)
}

const { request: stubPem } = await newCertificateRequest({ commonName: '' })
const stub = base64(pemBlocks(stubPem)[0]!.der)
const UNPROVEN = 'Invalid value: could not verify proof-of-possession signature'

describe('a request for a certificate of a pod', () => {
  it('is one that its key has signed', () => {
    expect(errorsOfNew({ stubPKCS10Request: stub })).toEqual([])
    const changed = Buffer.from(stub, 'base64')
    changed[changed.length - 1]! ^= 1
    expect(errorsOfNew({ stubPKCS10Request: base64(changed) })).toEqual([`spec.stubPKCS10Request: ${UNPROVEN}`])
    expect(errorsOfNew({ stubPKCS10Request: 'AAAA' })).toEqual(['spec.stubPKCS10Request: Invalid value: must be a valid PKCS#10 CSR'])
  })

  it.each(['ec P-256', 'ec P-384', 'ec P-521', 'ed25519', 'rsa 3072'])('or names a key (%s) that has signed the uid of the pod', kind => {
    expect(errorsOfNew(proofOf(kind, uids.podUID))).toEqual([])
    expect(errorsOfNew(proofOf(kind, 'another uid'))).toEqual([`spec.proofOfPossession: ${UNPROVEN}`])
  })

  it.each([
    ['ec P-224', 'spec.pkixPublicKey: Invalid value: "curve P-224": elliptic public keys must use curve P256, P384, or P521'],
    ['rsa 2048', 'spec.pkixPublicKey: Invalid value: "2048-bit modulus": RSA keys must have modulus size 3072 or 4096'],
    ['x25519', 'spec.pkixPublicKey: Invalid value: unknown public key type; supported types are Ed25519, ECDSA, and RSA'],
  ])('has no key of the kind %s', (kind, message) => {
    expect(errorsOfNew(proofOf(kind, uids.podUID))).toEqual([message])
  })

  it('has either a stub or a key with its proof', () => {
    const message = 'spec: Invalid value: exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set'
    expect(errorsOfNew({})).toEqual([message])
    expect(errorsOfNew({ stubPKCS10Request: stub, ...proofOf('ed25519', uids.podUID) })).toEqual([message])
    expect(errorsOfNew({ stubPKCS10Request: base64(Buffer.alloc(10_241)) })).toEqual([
      'spec.stubPKCS10Request: Too long: may not be more than 10240 bytes',
    ])
  })

  it('asks for an hour at least, 91 days at most, and of signers of Kubernetes for a day', () => {
    const ask = (signerName: string, maxExpirationSeconds: number) =>
      errorsOfNew({ stubPKCS10Request: stub, signerName, maxExpirationSeconds })
    expect(ask('example.com/s', 7_862_400)).toEqual([])
    expect(ask('example.com/s', 3599)).toEqual(['spec.maxExpirationSeconds: Invalid value: 3599: must be in the range [3600, 7862400]'])
    expect(ask('x.kubernetes.io/s', 86_401)).toEqual([
      'spec.maxExpirationSeconds: Invalid value: 86401: must be in the range [3600, 86400]',
    ])
  })

  it('passes on what the maker of the pod says under names with a domain', () => {
    const say = (unverifiedUserAnnotations: object) => errorsOfNew({ stubPKCS10Request: stub, unverifiedUserAnnotations })
    expect(say({ 'example.com/Name': 'x' })).toEqual([])
    expect(say({ plain: 'x' })).toEqual([
      'spec.unverifiedUserAnnotations: Invalid value: "plain": must be a domain-prefixed key (such as "acme.io/foo")',
    ])
    expect(say({ 'a.io/b': 'x'.repeat(262_144) })).toEqual(['spec.unverifiedUserAnnotations: Too long: may not be more than 262144 bytes'])
  })
})

describe('the answer to such a request', async () => {
  const authority = certificateAuthority(clock, await newAuthority(clock, 'ca'))
  const issue = async (validSeconds: number, request = stubPem) => {
    const certificateChain = await authority.sign(request, { usages: ['client'], validSeconds })
    const { notBefore, notAfter } = readCertificate(pemBlocks(certificateChain)[0]!.der)!
    const time = (ms: number) => new Date(ms).toISOString().replace('.000', '')
    return {
      now: notBefore,
      status: { certificateChain, notBefore: time(notBefore), notAfter: time(notAfter), beginRefreshAt: time(notBefore + 1_800_000) },
    }
  }
  const verdict = (type: string) => [{ type, status: 'True', reason: 'Why', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }]
  const asked = requestOf({ stubPKCS10Request: stub })
  const answer = (status: object, now: number, old = asked) =>
    updateErrorsOf(PodCertificateRequest, { ...asked, status: status as PodCertificateRequestStatus }, old, 'status', now)

  it('is a certificate for its key, with the times of the certificate', async () => {
    const { status, now } = await issue(7200)
    const conditions = verdict('Issued')
    expect(answer({ ...status, conditions }, now)).toEqual([])
    expect(answer({ ...status, conditions }, now + 300_000)).toEqual([
      `status.notBefore: Invalid value: "${status.notBefore}": must be set to within 5 minutes of kube-apiserver's current time`,
    ])
    const late = { ...status, notAfter: '2030-01-01T00:00:00Z', conditions }
    expect(answer(late, now)[0]).toContain('must be set to the NotAfter time encoded in the leaf certificate')
    expect(answer({ ...status, conditions, beginRefreshAt: status.notBefore }, now)[0]).toContain(
      'at least 10 minutes after status.notBefore',
    )
    expect(answer({ ...status, conditions, beginRefreshAt: status.notAfter }, now)[0]).toContain(
      'at least 10 minutes before status.notAfter',
    )
    expect(answer({ certificateChain: status.certificateChain, conditions }, now)).toHaveLength(3)
  })

  it('is no certificate for another key, for too short or too long, or with something else behind it', async () => {
    const conditions = verdict('Issued')
    const wrong = async (validSeconds: number, request = stubPem) => {
      const { status, now } = await issue(validSeconds, request)
      return answer({ ...status, conditions }, now).join()
    }
    expect(await wrong(7200, (await newCertificateRequest({ commonName: '' })).request)).toContain('not issued to the requested public key')
    expect(await wrong(600)).toContain('leaf certificate lifetime must be >= 1 hour')
    expect(await wrong(90_000)).toContain('leaf certificate lifetime must be <= spec.maxExpirationSeconds (86400)')
    const dots = await newCertificateRequest({ commonName: '', dnsNames: ['a..b', '.c'] })
    expect(await wrong(7200, dots.request)).toContain("leaf certificate's DNSName should not contain '..'")
    const { status, now } = await issue(7200)
    const chained = (more: string) => answer({ ...status, conditions, certificateChain: status.certificateChain + more }, now).join()
    expect(chained(status.certificateChain)).toBe('')
    expect(chained('-----BEGIN X-----\nAAAA\n-----END X-----\n')).toContain('must consist entirely of CERTIFICATE PEM blocks')
    expect(chained('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')).toContain('intermediate certificate does not parse')
    expect(answer({ ...status, conditions, certificateChain: 'no' }, now).join()).toContain('must contain at least one certificate')
  })

  it('is one verdict, which stays', async () => {
    const { status, now } = await issue(7200)
    const denied = { ...asked, status: { conditions: verdict('Denied') } as unknown as PodCertificateRequestStatus }
    expect(answer({ conditions: verdict('Denied') }, now)).toEqual([])
    expect(answer({ ...status, conditions: verdict('Denied') }, now)).toEqual([
      'status: Invalid value: non-condition status fields must be empty when denying or failing the PodCertificateRequest',
    ])
    expect(answer({ ...status, conditions: verdict('Issued') }, now, denied)).toEqual([
      'status: Invalid value: immutable after PodCertificateRequest is issued, denied, or failed',
    ])
    expect(answer(status, now)).toEqual([
      'status: Invalid value: status is immutable unless transitioning to "Issued", "Denied", or "Failed"',
    ])
    expect(answer({ conditions: [...verdict('Denied'), ...verdict('Failed')] }, now)).toEqual([
      'status.conditions[1].type: Invalid value: "Failed": There may be at most one condition with type "Issued", "Denied", or "Failed"',
    ])
    expect(answer({ conditions: [{ type: 'Maybe', status: 'Nearly', reason: '', message: '' }] }, now)).toEqual([
      'status.conditions[0].type: Unsupported value: "Maybe": supported values: "Issued", "Denied", "Failed"',
      'status.conditions[0].status: Unsupported value: "Nearly": supported values: "False", "True", "Unknown"',
      'status.conditions[0].lastTransitionTime: Required value: must be set',
      'status.conditions[0].reason: Required value: must be set',
    ])
  })
})
