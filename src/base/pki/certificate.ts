import { X509Certificate } from 'node:crypto'
import { type PublicKey, publicKeyOf } from './public-key.ts'

/** What a certificate says, whoever signed it. */
export interface Certificate {
  readonly publicKey: PublicKey
  /** Milliseconds since the epoch. */
  readonly notBefore: number
  readonly notAfter: number
  readonly dnsNames: readonly string[]
  readonly emailAddresses: readonly string[]
}

/** Reads a certificate (X.509, in DER); undefined if it is none. */
export function readCertificate(der: Uint8Array): Certificate | undefined {
  try {
    const { publicKey, validFrom, validTo, subjectAltName = '' } = new X509Certificate(der)
    const names = (type: string) => namesOf(subjectAltName).flatMap(([of, name]) => (of === type ? [name] : []))
    return {
      publicKey: publicKeyOf(publicKey),
      notBefore: Date.parse(validFrom),
      notAfter: Date.parse(validTo),
      dnsNames: names('DNS'),
      emailAddresses: names('email'),
    }
  } catch {
    return undefined
  }
}

/** `DNS:a.example, email:"a\"b@example"`: names with odd characters are JSON strings. */
function namesOf(text: string): [type: string, name: string][] {
  return [...text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)].map(([, type = '', name = '']) => [
    type,
    name.startsWith('"') ? (JSON.parse(name) as string) : name,
  ])
}
