import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CertificateAuthority, CertificateSubject, Credential } from '#base/pki/certificate-authority.ts'
import { type KeyPair, newKeyPair } from '#base/pki/key-pair.ts'
import type { Clock } from '#base/time/clock.ts'

/** Certificates and keys kept in a directory as `<name>.crt` and `<name>.key`. */
export interface CertificateFiles {
  /** What is kept under `name`; made where it is missing or no longer good. */
  keep(name: string, make: () => Promise<Credential>, isStillGood?: (certificate: string) => boolean): Promise<Credential>
  /** A certificate of `by`; made where it is missing, ends soon, is of another authority or lacks a name. */
  issue(name: string, by: CertificateAuthority, subject: Omit<CertificateSubject, 'validSeconds'>): Promise<Credential>
  /** A pair of keys without a certificate. */
  keepKeys(name: string): KeyPair
}

const YEAR_SECONDS = 365 * 86_400
/** A certificate is made anew this long before it ends, or when its names changed. */
const RENEWAL_MS = 30 * 86_400_000

/** Opens the directory, and makes it where it is missing. A file appears whole or not at all, the key before the certificate; keys are readable by their owner alone. */
export function certificateFiles(directory: string, clock: Clock): CertificateFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const write = (name: string, text: string) => writeKept(directory, name, text)
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  const has = (name: string) => existsSync(join(directory, name))
  const keep: CertificateFiles['keep'] = async (name, make, isStillGood = () => true) => {
    if (has(`${name}.crt`) && has(`${name}.key`)) {
      const kept = { certificate: read(`${name}.crt`), privateKey: read(`${name}.key`) }
      if (isStillGood(kept.certificate)) return kept
    }
    const made = await make()
    write(`${name}.key`, made.privateKey)
    write(`${name}.crt`, made.certificate)
    return made
  }
  return {
    keep,
    issue: (name, by, subject) =>
      keep(
        name,
        () => by.issue({ ...subject, validSeconds: YEAR_SECONDS }),
        certificate => isGood(certificate, by.certificate, subject, clock),
      ),
    keepKeys(name) {
      if (!has(`${name}.key`) || !has(`${name}.pub`)) {
        const made = newKeyPair()
        write(`${name}.key`, made.privateKey)
        write(`${name}.pub`, made.publicKey)
      }
      return { privateKey: read(`${name}.key`), publicKey: read(`${name}.pub`) }
    },
  }
}

/** Writes one file of a directory of certificates. */
export function writeKept(directory: string, name: string, text: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const file = join(directory, name)
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  chmodSync(`${file}.new`, /\.(crt|pub)$/.test(name) ? 0o644 : 0o600)
  renameSync(`${file}.new`, file)
}

/** Whether a certificate will be good for a while, comes from the authority and has these names. */
export function isGood(
  pem: string,
  authority: string,
  names: { readonly dnsNames?: readonly string[]; readonly ipAddresses?: readonly string[] },
  clock: Clock,
): boolean {
  const certificate = new X509Certificate(pem)
  return (
    Date.parse(certificate.validTo) - clock.now() > RENEWAL_MS &&
    certificate.verify(new X509Certificate(authority).publicKey) &&
    (names.dnsNames ?? []).every(name => certificate.checkHost(name) !== undefined) &&
    (names.ipAddresses ?? []).every(address => certificate.checkIP(address) !== undefined)
  )
}
