import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto'
import type { Clock } from '../time/clock.ts'
import { type KeyPair, newKeyPair } from './key-pair.ts'

/** A certificate and the key it is for, as PEM. */
export interface Credential {
  readonly certificate: string
  readonly privateKey: string
}

/** What a certificate says of its holder. */
export interface CertificateSubject {
  /** CN: the user's name, for a client of Kubernetes. */
  readonly commonName: string
  /** O: the user's groups. */
  readonly organizations?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly usages: readonly CertificateUsage[]
  /** How long it is good for, from now on. */
  readonly validSeconds: number
}

export type CertificateUsage = 'server' | 'client'

/** What is asked for in a PKCS #10 request, once its signature was checked. */
export interface CertificateRequest {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

/** Signs certificates. */
export interface CertificateAuthority {
  /** The authority's own certificate, as PEM: what others trust. */
  readonly certificate: string
  /** A new key and a certificate for it. */
  issue(subject: CertificateSubject): Promise<Credential>
  /** A certificate for the key of a PKCS #10 request (PEM), with the request's subject and names. Rejects if the request is not signed by its key. */
  sign(request: string, options: { usages: readonly CertificateUsage[]; validSeconds: number }): Promise<string>
}

/** Clocks of machines differ: certificates are good from this much before now. */
const SKEW_SECONDS = 300

/** Makes a new authority's credential: a self-signed certificate of ten years unless said otherwise. */
export async function newAuthority(clock: Clock, commonName: string, validSeconds = 10 * 365 * 86_400): Promise<Credential> {
  const x509 = await load()
  const pair = newKeyPair()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: nameOf(commonName, []),
    notBefore: new Date(clock.now() - SKEW_SECONDS * 1000),
    notAfter: new Date(clock.now() + validSeconds * 1000),
    signingAlgorithm: SIGNATURE,
    keys: { privateKey: await importPrivate(pair.privateKey), publicKey: await importPublic(pair.publicKey) },
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(await importPublic(pair.publicKey)),
    ],
  })
  return { certificate: `${certificate.toString('pem')}\n`, privateKey: pair.privateKey }
}

/** The authority of a credential made by {@link newAuthority}, or of any CA certificate with its key (ECDSA P-256 or RSA). */
export function certificateAuthority(clock: Clock, credential: Credential): CertificateAuthority {
  const issueFor = async (
    publicKey: webcrypto.CryptoKey,
    subject: Omit<CertificateSubject, 'commonName' | 'organizations'>,
    name: string,
  ) => {
    const x509 = await load()
    const issuer = new x509.X509Certificate(credential.certificate)
    const names = alternativeNames(subject)
    const signingKey = await importPrivate(credential.privateKey)
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject: name,
      issuer: issuer.subject,
      notBefore: new Date(clock.now() - SKEW_SECONDS * 1000),
      notAfter: new Date(Math.min(clock.now() + subject.validSeconds * 1000, issuer.notAfter.getTime())),
      signingAlgorithm: signatureOf(signingKey),
      signingKey,
      publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension(subject.usages.map(usage => x509.ExtendedKeyUsage[`${usage}Auth`])),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    })
    return `${certificate.toString('pem')}\n`
  }
  return {
    certificate: credential.certificate,
    async issue(subject) {
      const pair: KeyPair = newKeyPair()
      const name = nameOf(subject.commonName, subject.organizations ?? [])
      return { certificate: await issueFor(await importPublic(pair.publicKey), subject, name), privateKey: pair.privateKey }
    },
    async sign(request, options) {
      const x509 = await load()
      const parsed = new x509.Pkcs10CertificateRequest(request)
      if (!(await parsed.verify())) throw new Error('the certificate request is not signed by the key it is for')
      const { dnsNames, ipAddresses } = namesOf(x509, parsed)
      return issueFor(await parsed.publicKey.export(webcrypto), { ...options, dnsNames, ipAddresses }, parsed.subject)
    },
  }
}

/** A new key, and a PKCS #10 request (PEM) for a certificate for it: the key stays where it was made. */
export async function newCertificateRequest(
  subject: Pick<CertificateSubject, 'commonName' | 'organizations' | 'dnsNames' | 'ipAddresses'>,
): Promise<{ readonly request: string; readonly privateKey: string }> {
  const x509 = await load()
  const pair = newKeyPair()
  const names = alternativeNames(subject)
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: nameOf(subject.commonName, subject.organizations ?? []),
    keys: { privateKey: await importPrivate(pair.privateKey), publicKey: await importPublic(pair.publicKey) },
    signingAlgorithm: SIGNATURE,
    extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
  })
  return { request: `${request.toString('pem')}\n`, privateKey: pair.privateKey }
}

/** Reads a PKCS #10 request (PEM). Rejects with a sentence when it is none, or is not signed by its key. */
export async function readCertificateRequest(request: string): Promise<CertificateRequest> {
  const x509 = await load()
  const parsed = new x509.Pkcs10CertificateRequest(request)
  if (!(await parsed.verify())) throw new Error('the certificate request is not signed by the key it is for')
  const field = (name: string) => parsed.subjectName.getField(name)
  return { commonName: field('CN')[0] ?? '', organizations: field('O'), ...namesOf(x509, parsed) }
}

type X509 = typeof import('@peculiar/x509')
let loaded: Promise<X509> | undefined

/** The library takes a fifth of a second to load: only who makes a certificate pays for it. */
function load(): Promise<X509> {
  loaded ??= (async () => {
    await import('reflect-metadata')
    const module: X509 & { default?: X509 } = await import('@peculiar/x509')
    const x509 = module.default ?? module // a bundle of a CommonJS package exports nothing but its default
    x509.cryptoProvider.set(webcrypto)
    return x509
  })()
  return loaded
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const

function signatureOf(key: webcrypto.CryptoKey): typeof SIGNATURE | typeof RSA {
  return key.algorithm.name === 'ECDSA' ? SIGNATURE : RSA
}

async function importPrivate(pem: string): Promise<webcrypto.CryptoKey> {
  const key = createPrivateKey(pem)
  const algorithm = key.asymmetricKeyType === 'ec' ? CURVE : RSA
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), algorithm, false, ['sign'])
}

async function importPublic(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  return webcrypto.subtle.importKey('spki', der, CURVE, true, ['verify'])
}

/** Positive, at most 20 bytes (RFC 5280). */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0]! &= 0x7f
  bytes[0]! |= 0x40
  return bytes.toString('hex')
}

/** A distinguished name (RFC 4514) with what is special in it escaped. */
function nameOf(commonName: string, organizations: readonly string[]): string {
  const quoted = (text: string) => text.replace(/[,+"\\<>;#=]/g, '\\$&')
  return [`CN=${quoted(commonName)}`, ...organizations.map(organization => `O=${quoted(organization)}`)].join(', ')
}

function alternativeNames({ dnsNames = [], ipAddresses = [] }: Pick<CertificateSubject, 'dnsNames' | 'ipAddresses'>) {
  return [...dnsNames.map(value => ({ type: 'dns' as const, value })), ...ipAddresses.map(value => ({ type: 'ip' as const, value }))]
}

function namesOf(
  x509: X509,
  request: InstanceType<X509['Pkcs10CertificateRequest']>,
): Omit<CertificateRequest, 'commonName' | 'organizations'> {
  const extension = request.extensions.find(one => one instanceof x509.SubjectAlternativeNameExtension)
  const names = extension?.names.items ?? []
  const of = (type: string) => names.filter(name => name.type === type).map(name => name.value)
  return { dnsNames: of('dns'), ipAddresses: of('ip'), emailAddresses: of('email'), uris: of('url') }
}
