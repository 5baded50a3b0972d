import { createHash, randomInt, X509Certificate } from 'node:crypto'
import { SetupError } from '../setup-error.ts'

/**
 * What a machine is given to join a cluster by: `sha256:<digest of the cluster's authority>::<id>.<secret>`. By the first part the joiner knows
 * the servers before it tells them anything; by the second they know that it was invited. `<id>.<secret>` is the form of Kubernetes'
 * bootstrap tokens.
 */
export interface JoinToken {
  /** SHA-256 of the authority's public key (SPKI), in hexadecimal, as kubeadm's `--discovery-token-ca-cert-hash`. */
  readonly authorityHash: string
  readonly id: string
  readonly secret: string
}

/** As what a machine joins. */
export type JoinRole = 'agent' | 'server'

const FORM = /^sha256:([0-9a-f]{64})::([a-z0-9]{6})\.([a-z0-9]{16})$/

/** Reads a token. Throws a SetupError that does not repeat it. */
export function parseJoinToken(text: string): JoinToken {
  const [, authorityHash, id, secret] = FORM.exec(text.trim()) ?? []
  if (authorityHash === undefined || id === undefined || secret === undefined) {
    throw new SetupError(
      'This is no join token',
      'copy the whole line that "t8s token create" printed on a server: sha256:…::<id>.<secret>',
    )
  }
  return { authorityHash, id, secret }
}

export function joinTokenText({ authorityHash, id, secret }: JoinToken): string {
  return `sha256:${authorityHash}::${id}.${secret}`
}

/** A new token for the cluster of that authority. */
export function newJoinToken(authority: string): JoinToken {
  return { authorityHash: authorityHashOf(authority), id: randomText(6), secret: randomText(16) }
}

/** The digest of a certificate's public key. */
export function authorityHashOf(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(key).digest('hex')
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
