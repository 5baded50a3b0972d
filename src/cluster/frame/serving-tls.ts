import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { SecureVersion } from 'node:tls'
import type { NamedCertificate } from '#apiserver/http/listen.ts'
import { readCertificate } from '#base/pki/certificate.ts'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { pemBlocks } from '#base/pki/pem.ts'
import type { Clock } from '#base/time/clock.ts'
import { opensslCiphers } from '../flags/cipher-suites.ts'
import { namedCertificateFiles } from '../flags/named-certificate.ts'
import { namedFile, neededFile } from '../flags/named-file.ts'
import { SetupError } from '../setup-error.ts'

/** What flags say about HTTPS: names and texts of files, by upstream's flags. */
export interface ServingTlsFlags {
  readonly 'tls-cert-file': string
  readonly 'tls-private-key-file': string
  readonly 'cert-dir': string
  readonly 'tls-sni-cert-key'?: readonly string[]
  readonly 'client-ca-file': string
  readonly 'tls-min-version': string
  readonly 'tls-cipher-suites': readonly string[]
}

/** How a port proves itself and what it asks of clients. */
export interface ServingTls {
  readonly certificate: string
  readonly key: string
  readonly clientCa?: string
  readonly minVersion: SecureVersion
  /** As OpenSSL names them; absent: Node's choice. */
  readonly ciphers?: string
  /** Other certificates for those who ask for certain names. */
  readonly named: readonly NamedCertificate[]
}

/** Whom a certificate of one's own is for. */
export interface OwnCertificate {
  /** Of the program; the files in `--cert-dir` are called so too. */
  readonly name: string
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
}

/**
 * The HTTPS of a program: the certificate that was given, or one of its own, which is kept in `--cert-dir` if there is one. Throws
 * {@link SetupError}.
 */
export async function servingTls(flags: ServingTlsFlags, own: OwnCertificate, clock: Clock): Promise<ServingTls> {
  const clientCa = namedFile('--client-ca-file', flags['client-ca-file'])
  const ciphers = opensslCiphers(flags['tls-cipher-suites'])
  return {
    ...(await credentialOf(flags, own, clock)),
    ...(clientCa === undefined ? {} : { clientCa }),
    minVersion: flags['tls-min-version'].replace('VersionTLS1', 'TLSv1.') as SecureVersion,
    ...(ciphers === undefined ? {} : { ciphers }),
    named: (flags['tls-sni-cert-key'] ?? []).map(namedCertificate),
  }
}

function namedCertificate(value: string): NamedCertificate {
  const files = namedCertificateFiles(value)
  const certificate = neededFile('--tls-sni-cert-key', files.certificate)
  const key = neededFile('--tls-sni-cert-key', files.key)
  const [leaf] = pemBlocks(certificate).map(({ der }) => readCertificate(der))
  if (!leaf) throw new SetupError(`--tls-sni-cert-key: ${files.certificate} holds no certificate`, 'name a file of PEM')
  const names = files.names.length > 0 ? files.names : leaf.dnsNames
  if (names.length > 0) return { names, certificate, key }
  throw new SetupError(
    `--tls-sni-cert-key: nobody asks for ${files.certificate}: it has no DNS names`,
    `say for which names it is: ${files.certificate},${files.key}:name`,
  )
}

async function credentialOf(flags: ServingTlsFlags, own: OwnCertificate, clock: Clock): Promise<Pick<ServingTls, 'certificate' | 'key'>> {
  const { 'tls-cert-file': certFile, 'tls-private-key-file': keyFile, 'cert-dir': directory } = flags
  if (certFile !== '' || keyFile !== '')
    return { certificate: neededFile('--tls-cert-file', certFile), key: neededFile('--tls-private-key-file', keyFile) }
  if (directory === '') return selfSigned(own, clock)
  const [kept, keptKey] = [join(directory, `${own.name}.crt`), join(directory, `${own.name}.key`)]
  if (existsSync(kept) && existsSync(keptKey)) return { certificate: readFileSync(kept, 'utf8'), key: readFileSync(keptKey, 'utf8') }
  const made = await selfSigned(own, clock)
  try {
    mkdirSync(directory, { recursive: true })
    writeFileSync(keptKey, made.key, { mode: 0o600 })
    writeFileSync(kept, made.certificate)
  } catch (error) {
    throw new SetupError(
      `--cert-dir=${directory} cannot be written (${(error as NodeJS.ErrnoException).code})`,
      'name a directory that this user may write, or give --tls-cert-file and --tls-private-key-file',
    )
  }
  return made
}

/** A certificate that nobody signed but the program itself; upstream's components make such ones too. */
async function selfSigned({ name, dnsNames = [], ipAddresses = [] }: OwnCertificate, clock: Clock) {
  const authority = await newAuthority(clock, `${name}-ca`)
  const { certificate, privateKey } = await certificateAuthority(clock, authority).issue({
    commonName: `${name}@${hostname()}`,
    dnsNames: ['localhost', hostname(), ...dnsNames],
    ipAddresses: ['127.0.0.1', ...ipAddresses],
    usages: ['server'],
    validSeconds: 365 * 86_400,
  })
  return { certificate, key: privateKey }
}
