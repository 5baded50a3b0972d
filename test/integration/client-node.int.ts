import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as k8s from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { clusterCertificates } from '#cluster/certificates/cluster-certificates.ts'
import { type LoneApiServer, startLoneApiServer } from '#cluster/components/lone-api-server.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'

/* Upstream's client for JavaScript, unchanged, against our API server over TLS. */

const PORT = 46_431
const directory = mkdtempSync(join(tmpdir(), 't8s-client-node-'))
const clock = realClock()
const store = new MemoryStore({ clock })
const config = new k8s.KubeConfig()
let server: LoneApiServer

beforeAll(async () => {
  const certificates = await clusterCertificates(directory, clock, { dnsNames: ['localhost'], ipAddresses: ['127.0.0.1'] })
  const keys = newKeyPair()
  server = await startLoneApiServer({
    store,
    clock,
    random: systemRandom(),
    log: silentLogger,
    address: '127.0.0.1',
    port: PORT,
    advertiseAddress: '127.0.0.1',
    tls: { certificate: certificates.apiServer.certificate, key: certificates.apiServer.privateKey },
    authentication: { clientCa: certificates.authority.certificate, tokenFile: 'admin-token,admin,u-admin,"system:masters"\n' },
    anonymous: true,
    authorizers: [{ type: 'Node' }, { type: 'RBAC' }],
    admission: { enabled: [], disabled: ['ServiceAccount'] },
    serviceCIDRs: ['10.96.0.0/16'],
    nodePortRange: '30000-32767',
    serviceAccounts: {
      issuers: ['https://kubernetes.default.svc'],
      audiences: ['https://kubernetes.default.svc'],
      signingKey: keys.privateKey,
      verificationKeys: [keys.publicKey],
    },
    maxReadsInflight: 400,
    maxWritesInflight: 200,
    publishesEndpoints: false,
  })
  config.loadFromOptions({
    clusters: [{ name: 'c', server: `https://127.0.0.1:${PORT}`, caData: readFileSync(join(directory, 'ca.crt')).toString('base64') }],
    users: [{ name: 'admin', token: 'admin-token' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'admin' }],
    currentContext: 'x',
  })
})

afterAll(async () => {
  await server.stop()
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

describe("upstream's JavaScript client", () => {
  it('creates, lists, patches and deletes', async () => {
    const api = config.makeApiClient(k8s.CoreV1Api)
    await api.createNamespacedConfigMap({ namespace: 'default', body: { metadata: { name: 'a', labels: { app: 'x' } }, data: { k: 'v' } } })
    const listed = await api.listNamespacedConfigMap({ namespace: 'default', labelSelector: 'app=x' })
    expect(listed.items.map(({ metadata, data }) => [metadata?.name, data])).toEqual([['a', { k: 'v' }]])
    const patched = await api.patchNamespacedConfigMap({
      namespace: 'default',
      name: 'a',
      body: [{ op: 'replace', path: '/data/k', value: 'w' }],
    })
    expect(patched.data).toEqual({ k: 'w' })
    await api.deleteNamespacedConfigMap({ namespace: 'default', name: 'a' })
    await expect(api.readNamespacedConfigMap({ namespace: 'default', name: 'a' })).rejects.toMatchObject({ code: 404 })
  })

  it('follows objects with its informer', async () => {
    const api = config.makeApiClient(k8s.CoreV1Api)
    const list = () => api.listNamespacedSecret({ namespace: 'default' })
    const informer = k8s.makeInformer(config, '/api/v1/namespaces/default/secrets', list)
    const seen: string[] = []
    const deleted = new Promise<void>(resolve => {
      informer.on('add', ({ metadata }) => seen.push(`add ${metadata?.name}`))
      informer.on('update', ({ metadata }) => seen.push(`update ${metadata?.name}`))
      informer.on('delete', ({ metadata }) => {
        seen.push(`delete ${metadata?.name}`)
        resolve()
      })
    })
    await informer.start()
    await api.createNamespacedSecret({ namespace: 'default', body: { metadata: { name: 's' }, stringData: { a: 'b' } } })
    await api.replaceNamespacedSecret({ namespace: 'default', name: 's', body: { metadata: { name: 's' }, stringData: { a: 'c' } } })
    await api.deleteNamespacedSecret({ namespace: 'default', name: 's' })
    await deleted
    await informer.stop()
    expect(seen).toEqual(['add s', 'update s', 'delete s'])
  })
})
