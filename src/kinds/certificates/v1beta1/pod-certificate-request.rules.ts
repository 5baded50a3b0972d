import { type CertificationRequest, readCertificationRequest } from '#base/pki/certification-request.ts'
import { isSignedBy, type PublicKey, readPublicKey, type SignatureScheme } from '#base/pki/public-key.ts'
import { nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import { OMITTED } from '#machinery/status/field-error.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateSignerName } from '../../core/v1/projected-volume.rules.ts'
import { validateUserAnnotations } from '../../core/v1/user-annotations.rules.ts'
import { byteLength, bytesOf } from '../../meta/v1/base64.ts'
import type { PodCertificateRequest, PodCertificateRequestSpec } from './pod-certificate-request.ts'

const [HOUR_SECONDS, DAY_SECONDS, DAYS_91_SECONDS] = [3600, 24 * 3600, 91 * 24 * 3600]
const MAX_KEY_BYTES = 10 * 1024
const UNPROVEN = 'could not verify proof-of-possession signature'

/**
 * Names, uids and times, and that the key is the asker's: it has signed the request, or the pod's uid. Whether pod, account and node are these
 * is looked up by `NodeRestriction`.
 */
export function validatePodCertificateRequest({ spec }: PodCertificateRequest, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateSignerName(spec.signerName, at.at('signerName'))
  validateUserAnnotations(spec.unverifiedUserAnnotations ?? {}, at.at('unverifiedUserAnnotations'))
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
  const atMost = isKubernetesSigner(spec.signerName) ? DAY_SECONDS : DAYS_91_SECONDS
  if (maxExpirationSeconds < HOUR_SECONDS || maxExpirationSeconds > atMost)
    at.at('maxExpirationSeconds').invalid(maxExpirationSeconds, `must be in the range [${HOUR_SECONDS}, ${atMost}]`)
  validateProof(spec, at)
}

/** Signers of Kubernetes' own make no certificate that is good for more than a day. */
function isKubernetesSigner(signerName: string): boolean {
  const [domain = ''] = signerName.split('/')
  return domain === 'kubernetes.io' || domain.endsWith('.kubernetes.io')
}

function validateProof(spec: PodCertificateRequestSpec, errors: FieldErrors): void {
  const parts = ['stubPKCS10Request', 'pkixPublicKey', 'proofOfPossession'] as const
  const tooLong = parts.find(name => byteLength(spec[name] ?? '') > MAX_KEY_BYTES)
  const [stub, key, proof] = parts.map(name => bytesOf(spec[name] ?? '')) as [Uint8Array, Uint8Array, Uint8Array]
  if (tooLong) errors.at(tooLong).tooLong(MAX_KEY_BYTES)
  else if (stub.length > 0 === (key.length > 0 || proof.length > 0)) {
    errors.invalid(OMITTED, 'exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set')
  } else if (stub.length > 0) validateStub(readCertificationRequest(stub), errors.at('stubPKCS10Request'))
  else validateKeyAndProof(spec.podUID, readPublicKey(key), proof, errors)
}

function validateStub(request: CertificationRequest | undefined, errors: FieldErrors): void {
  if (!request) errors.invalid(OMITTED, 'must be a valid PKCS#10 CSR')
  else if (isKnownKey(request.publicKey, errors) && !request.isSigned()) errors.invalid(OMITTED, UNPROVEN)
}

function validateKeyAndProof(podUID: string, key: PublicKey | undefined, proof: Uint8Array, errors: FieldErrors): void {
  if (!key) errors.at('pkixPublicKey').invalid(OMITTED, 'must be a valid PKIX-serialized public key')
  else if (isKnownKey(key, errors.at('pkixPublicKey')) && !isSignedBy(key, PROOFS[key.type], new TextEncoder().encode(podUID), proof)) {
    errors.at('proofOfPossession').invalid(OMITTED, UNPROVEN)
  }
}

const PROOFS: Readonly<Record<'rsa' | 'ec' | 'ed25519', SignatureScheme>> = {
  rsa: { type: 'rsa-pss', hash: 'sha256' },
  ec: { type: 'ec', hash: 'sha256' },
  ed25519: { type: 'ed25519' },
}

/** RSA with 3072 or 4096 bits, P-256, P-384, P-521 or Ed25519; anything else is reported. */
function isKnownKey(key: PublicKey | undefined, errors: FieldErrors): key is PublicKey & { readonly type: keyof typeof PROOFS } {
  switch (key?.type) {
    case 'ed25519':
      return true
    case 'ec':
      if (['P-256', 'P-384', 'P-521'].includes(key.curve)) return true
      errors.invalid(`curve ${key.curve}`.trim(), 'elliptic public keys must use curve P256, P384, or P521')
      return false
    case 'rsa':
      if (key.modulusBits === 3072 || key.modulusBits === 4096) return true
      errors.invalid(`${key.modulusBits}-bit modulus`, 'RSA keys must have modulus size 3072 or 4096')
      return false
    default:
      errors.invalid(OMITTED, 'unknown public key type; supported types are Ed25519, ECDSA, and RSA')
      return false
  }
}
