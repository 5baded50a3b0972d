import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeKept } from './certificate-files.ts'

/**
 * What every server of a cluster must have alike: the authorities with their keys, the keys of service-account tokens, and that by which Secrets
 * are encrypted in the store. By file name.
 */
export type SharedSecrets = Readonly<Record<string, string>>

/** The EncryptionConfiguration of a server, among its certificates. */
export const ENCRYPTION_FILE = 'encryption.yaml'

const NAMES = [
  'ca.crt',
  'ca.key',
  'front-proxy-ca.crt',
  'front-proxy-ca.key',
  'etcd-ca.crt',
  'etcd-ca.key',
  'kubelet-ca.crt',
  'kubelet-ca.key',
  'sa.pub',
  'sa.key',
  ENCRYPTION_FILE,
]

/** What a joining server is given. */
export function readSharedSecrets(directory: string): SharedSecrets {
  return Object.fromEntries(NAMES.map(name => [name, readFileSync(join(directory, name), 'utf8')]))
}

/** Keeps what a joining server was given; names that are not known are left alone. */
export function writeSharedSecrets(directory: string, secrets: SharedSecrets): void {
  const missing = NAMES.filter(name => typeof secrets[name] !== 'string')
  if (missing.length > 0) throw new Error(`the server did not hand out ${missing.join(', ')}: is it of the same version?`)
  for (const name of NAMES) writeKept(directory, name, secrets[name]!)
}

/** Whether a directory has them. */
export function hasSharedSecrets(directory: string): boolean {
  return NAMES.every(name => existsSync(join(directory, name)))
}
