import { type CertificateAuthority, type CertificateRequest, readCertificateRequest } from '#base/pki/certificate-authority.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { AgentAnswer, AgentRequest } from './join-messages.ts'

/** The authorities by which nodes are known. */
export interface NodeAuthorities {
  /** Signs who a client of the API is. */
  readonly clients: CertificateAuthority
  /** Signs kubelets as servers, and nothing else: so a node cannot pass for an API server. */
  readonly kubelets: CertificateAuthority
}

const YEAR_SECONDS = 365 * 86_400

/** Signs what a node may have: to be itself, to serve as its kubelet, to be a proxy. Rejects with a StatusError (400) when it asks for more. */
export async function signNodeCertificates(
  authorities: NodeAuthorities,
  nodeName: string,
  requests: AgentRequest['requests'],
): Promise<AgentAnswer['certificates']> {
  const node = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] }
  await check(requests.kubelet, 'kubelet', { ...node, dnsNames: [], isServer: false })
  await check(requests.serving, 'serving', { ...node, dnsNames: [nodeName], isServer: true })
  await check(requests.proxy, 'proxy', { commonName: 'system:kube-proxy', organizations: [], dnsNames: [], isServer: false })
  const client = { usages: ['client'] as const, validSeconds: YEAR_SECONDS }
  const [kubelet, serving, proxy] = await Promise.all([
    authorities.clients.sign(requests.kubelet, client),
    authorities.kubelets.sign(requests.serving, { usages: ['server'], validSeconds: YEAR_SECONDS }),
    authorities.clients.sign(requests.proxy, client),
  ])
  return { kubelet, serving, proxy }
}

interface Allowed {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly isServer: boolean
}

async function check(pem: string, name: string, allowed: Allowed): Promise<void> {
  let asked: CertificateRequest
  try {
    asked = await readCertificateRequest(pem)
  } catch {
    throw bad(`the certificate request "${name}" cannot be read`)
  }
  const fits =
    asked.commonName === allowed.commonName &&
    asked.organizations.join() === allowed.organizations.join() &&
    asked.dnsNames.every(dnsName => allowed.dnsNames.includes(dnsName)) &&
    (allowed.isServer || asked.ipAddresses.length === 0) &&
    asked.emailAddresses.length === 0 &&
    asked.uris.length === 0
  if (!fits) throw bad(`the certificate request "${name}" asks for more than a node may have`)
}

function bad(message: string): StatusError {
  return new StatusError({ code: 400, reason: 'BadRequest', message })
}
