import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '#base/log/logger.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import { clusterCertificates } from '#cluster/certificates/cluster-certificates.ts'
import { type LoneApiServerOptions, startLoneApiServer } from '#cluster/components/lone-api-server.ts'
import type { Store } from '#store/store.ts'

/** Who may come in by a token of the same name, beside `admin`. */
export const USERS = ['reader', 'nobody'] as const

/** An API server with TLS, RBAC and tokens on a port of its own, and clients for it. */
export interface LoneServer extends AsyncDisposable {
  readonly port: number
  /** Files that belong to it; removed with it. */
  readonly directory: string
  /** Of the administrator. */
  readonly kubeconfig: string
  /** Who signs its certificate and those of its clients. */
  readonly authority: string
  /** The token of the kubelet of one of its nodes. */
  nodeToken(node: string): string
  client(user?: 'admin' | (typeof USERS)[number]): HttpClient
}

/** `nodes`: those whose kubelets may come in. */
export async function startLoneServer(
  store: Store,
  options: Partial<LoneApiServerOptions> = {},
  nodes: readonly string[] = [],
): Promise<LoneServer> {
  const clock = realClock()
  const directory = mkdtempSync(join(tmpdir(), 't8s-lone-'))
  const certificates = await clusterCertificates(directory, clock, { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] })
  const keys = newKeyPair()
  const issuers = ['https://kubernetes.default.svc']
  const { port, stop } = await startLoneApiServer({
    store,
    clock,
    random: systemRandom(),
    log: silentLogger,
    address: '127.0.0.1',
    port: 0,
    advertiseAddress: '127.0.0.1',
    tls: { certificate: certificates.apiServer.certificate, key: certificates.apiServer.privateKey },
    authentication: {
      clientCa: certificates.authority.certificate,
      tokenFile: ['admin,admin,u-admin,"system:masters"', ...USERS.map(user => `${user},${user},u-${user}`), ...nodes.map(nodeLine)].join(
        '\n',
      ),
    },
    anonymous: true,
    authorizers: [{ type: 'Node' }, { type: 'RBAC' }],
    admission: { enabled: [], disabled: ['ServiceAccount'] },
    serviceCIDRs: ['10.96.0.0/16'],
    nodePortRange: '30000-32767',
    serviceAccounts: { issuers, audiences: issuers, signingKey: keys.privateKey, verificationKeys: [keys.publicKey] },
    maxReadsInflight: 400,
    maxWritesInflight: 200,
    publishesEndpoints: false,
    servesTypernetes: true,
    ...options,
  })
  const server = `https://127.0.0.1:${port}`
  const ca = certificates.authority.certificate
  const clients: HttpClient[] = []
  const kubeconfig = join(directory, 'kubeconfig')
  writeFileSync(kubeconfig, kubeconfigOf(server, ca))
  return {
    port,
    directory,
    kubeconfig,
    authority: ca,
    nodeToken: tokenOf,
    client(user = 'admin') {
      const client = httpClient({ server, clock, tls: { ca }, token: user })
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client[Symbol.dispose]()
      await stop()
      rmSync(directory, { recursive: true })
    },
  }
}

const tokenOf = (node: string) => `node-${node}`
const nodeLine = (node: string) => `${tokenOf(node)},system:node:${node},u-${node},"system:nodes"`

function kubeconfigOf(server: string, ca: string): string {
  const data = Buffer.from(ca).toString('base64')
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': data } }],
    users: [{ name: 'admin', user: { token: 'admin' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'admin' } }],
    'current-context': 'x',
  })
}
