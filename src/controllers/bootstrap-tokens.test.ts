import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { timeOf } from '#machinery/time/time.ts'
import { bootstrapSignerController } from './bootstrap-signer.ts'
import { legacyServiceAccountTokenCleanerController } from './legacy-serviceaccount-token-cleaner.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'
import { tokenCleanerController } from './token-cleaner.ts'

const encoded = (data: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, btoa(value)]))

function token({ api }: TestCluster, id: string, more: Readonly<Record<string, string>> = {}): void {
  api.put(Secret, {
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: encoded({ 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true', ...more }),
  })
}

const info = ({ api }: TestCluster) => api.find(ConfigMap, 'cluster-info', 'kube-public')!.data

describe('bootstrap-signer-controller', () => {
  it('signs cluster-info with every token that may sign, so that its holder can check it', async () => {
    await using cluster = testCluster([bootstrapSignerController])
    cluster.api.put(ConfigMap, { metadata: { name: 'cluster-info', namespace: 'kube-public' }, data: { kubeconfig: 'clusters: ü' } })
    token(cluster, 'abcdef')
    token(cluster, 'nosign', { 'usage-bootstrap-signing': 'false' })
    await cluster.settle()
    const [header, empty, signature] = info(cluster)!['jws-kubeconfig-abcdef']!.split('.')
    expect(JSON.parse(Buffer.from(header!, 'base64url').toString())).toEqual({ alg: 'HS256', kid: 'abcdef' })
    expect(empty).toBe('')
    const signed = `${header}.${Buffer.from('clusters: ü').toString('base64url')}`
    expect(signature).toBe(createHmac('sha256', 'abcdef.0123456789abcdef').update(signed).digest('base64url'))
    expect(Object.keys(info(cluster)!)).toEqual(['jws-kubeconfig-abcdef', 'kubeconfig'])
  })

  it('takes the signature away when the token goes or ends, and signs anew what has changed', async () => {
    await using cluster = testCluster([bootstrapSignerController])
    cluster.api.put(ConfigMap, { metadata: { name: 'cluster-info', namespace: 'kube-public' }, data: { kubeconfig: 'a' } })
    token(cluster, 'abcdef')
    token(cluster, 'ending', { expiration: timeOf(cluster.clock.now() + 60_000) })
    await cluster.settle()
    const before = info(cluster)!['jws-kubeconfig-abcdef']
    cluster.api.change(
      ConfigMap,
      'cluster-info',
      next => {
        next.data = { ...next.data, kubeconfig: 'b' }
      },
      'kube-public',
    )
    await cluster.settle()
    expect(info(cluster)!['jws-kubeconfig-abcdef']).not.toBe(before)
    expect(info(cluster)).toHaveProperty('jws-kubeconfig-ending')
    await cluster.advance(61_000)
    expect(info(cluster)).not.toHaveProperty('jws-kubeconfig-ending')
    cluster.api.remove(Secret, 'bootstrap-token-abcdef', 'kube-system')
    await cluster.settle()
    expect(info(cluster)).toEqual({ kubeconfig: 'b' })
  })
})

describe('token-cleaner-controller', () => {
  it('deletes a token at its end, and not before', async () => {
    await using cluster = testCluster([tokenCleanerController])
    token(cluster, 'ending', { expiration: timeOf(cluster.clock.now() + 60_000) })
    token(cluster, 'abcdef')
    token(cluster, 'strang', { expiration: 'tomorrow' })
    await cluster.advance(59_000)
    expect(cluster.api.all(Secret).map(({ metadata }) => metadata.name)).toEqual(['bootstrap-token-ending', 'bootstrap-token-abcdef'])
    await cluster.advance(2_000)
    expect(cluster.api.all(Secret).map(({ metadata }) => metadata.name)).toEqual(['bootstrap-token-abcdef'])
  })
})

describe('legacy-serviceaccount-token-cleaner-controller', () => {
  const DAY = 24 * 3600_000

  function legacy(labels: Readonly<Record<string, string>> = {}, since = '2020-01-01'): TestCluster {
    const cluster = testCluster([legacyServiceAccountTokenCleanerController], { legacyServiceAccountTokenCleanUpPeriodMs: 10 * DAY })
    const { api } = cluster
    const tracking = 'kube-apiserver-legacy-service-account-token-tracking'
    api.put(ConfigMap, { metadata: { name: tracking, namespace: 'kube-system' }, data: { since } })
    api.put(ServiceAccount, { metadata: { name: 'app', namespace: 'default' }, secrets: [{ name: 'app-token' }] })
    for (const name of ['app-token', 'by-hand'])
      api.put(Secret, {
        metadata: { name, namespace: 'default', labels, annotations: { 'kubernetes.io/service-account.name': 'app' } },
        type: 'kubernetes.io/service-account-token',
      })
    return cluster
  }
  const secrets = ({ api }: TestCluster) => api.all(Secret).map(({ metadata }) => metadata.name)
  const mark = ({ api }: TestCluster) => api.find(Secret, 'app-token')?.metadata.labels?.['kubernetes.io/legacy-token-invalid-since']

  it('marks a token that nobody has used for the period, deletes it a period later, and leaves those made by hand', async () => {
    await using cluster = legacy()
    await cluster.advance(10 * DAY)
    expect(mark(cluster)).toBeUndefined()
    await cluster.advance(2 * DAY)
    expect(mark(cluster)).toMatch(/^\d{4}-\d\d-\d\d$/)
    await cluster.advance(8 * DAY)
    expect(secrets(cluster)).toContain('app-token')
    await cluster.advance(5 * DAY)
    expect(secrets(cluster)).toEqual(['by-hand'])
  })

  it('leaves what was used lately, what a pod mounts, and everything while use is not noted down long enough', async () => {
    await using lately = legacy({ 'kubernetes.io/legacy-token-last-used': '2999-01-01' })
    await using mounted = legacy()
    mounted.api.put(Pod, {
      metadata: { name: 'web', namespace: 'default' },
      spec: { containers: [], volumes: [{ name: 'v', secret: { secretName: 'app-token' } }] },
    })
    await using young = legacy({}, '2999-01-01')
    for (const cluster of [lately, mounted, young]) {
      await cluster.advance(30 * DAY)
      expect(mark(cluster)).toBeUndefined()
    }
  })
})
