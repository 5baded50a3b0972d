import { renameSync, writeFileSync } from 'node:fs'
import type { Credential } from '#base/pki/certificate-authority.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** A kubeconfig that holds everything it needs: server, authority and credential. */
export function kubeconfig(cluster: string, server: string, authority: string, credential: Credential, user = 'admin'): string {
  return `apiVersion: v1
kind: Config
clusters:
- name: ${cluster}
  cluster:
    server: ${server}
    certificate-authority-data: ${base64(authority)}
users:
- name: ${user}@${cluster}
  user:
    client-certificate-data: ${base64(credential.certificate)}
    client-key-data: ${base64(credential.privateKey)}
contexts:
- name: ${cluster}
  context:
    cluster: ${cluster}
    user: ${user}@${cluster}
current-context: ${cluster}
`
}

/** Writes a file that only its owner reads; it appears whole or not at all. */
export function writePrivateFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
