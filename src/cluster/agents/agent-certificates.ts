import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Credential, newCertificateRequest } from '#base/pki/certificate-authority.ts'
import type { Clock } from '#base/time/clock.ts'
import { isGood, writeKept } from '../certificates/certificate-files.ts'
import type { AgentAnswer, AgentRequest } from '../join/join-messages.ts'

/** What a node proves itself by, and by what it knows the servers. */
export interface AgentCertificates {
  /** The cluster's authority. */
  readonly authority: string
  /** As a client of the API. */
  readonly kubelet: Credential
  /** As a server, to the API server. */
  readonly serving: Credential
  readonly proxy: Credential
}

const NAMES = ['kubelet', 'serving', 'proxy'] as const
type Name = (typeof NAMES)[number]

/** The certificates in a directory; undefined until all are there. */
export function readAgentCertificates(directory: string): AgentCertificates | undefined {
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  const files = ['ca.crt', ...NAMES.flatMap(name => [`${name}.crt`, `${name}.key`])]
  if (!files.every(name => existsSync(join(directory, name)))) return undefined
  const credential = (name: Name) => ({ certificate: read(`${name}.crt`), privateKey: read(`${name}.key`) })
  return { authority: read('ca.crt'), kubelet: credential('kubelet'), serving: credential('serving'), proxy: credential('proxy') }
}

/** Whether they will be good for a while. */
export function areFresh({ authority, kubelet, proxy }: AgentCertificates, clock: Clock): boolean {
  return [kubelet, proxy].every(({ certificate }) => isGood(certificate, authority, {}, clock))
}

/** New keys, with the requests for certificates for them. */
export async function newAgentRequests(
  nodeName: string,
  address: string,
): Promise<{ readonly requests: AgentRequest['requests']; readonly keys: Readonly<Record<Name, string>> }> {
  const node = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] }
  const [kubelet, serving, proxy] = await Promise.all([
    newCertificateRequest(node),
    newCertificateRequest({ ...node, dnsNames: [nodeName], ipAddresses: [address] }),
    newCertificateRequest({ commonName: 'system:kube-proxy' }),
  ])
  return {
    requests: { kubelet: kubelet.request, serving: serving.request, proxy: proxy.request },
    keys: { kubelet: kubelet.privateKey, serving: serving.privateKey, proxy: proxy.privateKey },
  }
}

/** Keeps what the server signed, with the keys it is for. */
export function writeAgentCertificates(
  directory: string,
  authority: string,
  keys: Readonly<Record<Name, string>>,
  certificates: AgentAnswer['certificates'],
): void {
  for (const name of NAMES) {
    writeKept(directory, `${name}.key`, keys[name])
    writeKept(directory, `${name}.crt`, certificates[name])
  }
  writeKept(directory, 'ca.crt', authority)
}
