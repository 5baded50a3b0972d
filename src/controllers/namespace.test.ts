import { describe, expect, it } from 'vitest'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { namespaceController } from './namespace.ts'
import { rootCACertificatePublisherController } from './root-ca-certificate-publisher.ts'
import { testCluster } from './runtime/test-cluster.ts'
import { serviceAccountController } from './serviceaccount.ts'
import { serviceAccountTokenController } from './serviceaccount-token.ts'

describe('namespace-controller', () => {
  it('empties a namespace that is deleted, pods first, and lets it go', async () => {
    await using cluster = testCluster([namespaceController])
    const client = cluster.api.client()
    await client.create(Namespace, { metadata: { name: 'shop' } })
    cluster.api.put(ConfigMap, { metadata: { name: 'settings', namespace: 'shop' } })
    cluster.api.put(Pod, {
      metadata: { name: 'web', namespace: 'shop' },
      spec: { nodeName: 'n1', containers: [] },
      status: { phase: 'Running' },
    })
    await client.delete(Namespace, { name: 'shop' })
    await cluster.settle()
    expect(cluster.api.find(Pod, 'web', 'shop')!.metadata.deletionTimestamp).toBeDefined()
    expect(cluster.api.find(ConfigMap, 'settings', 'shop')).toBeDefined()
    const remaining = cluster.api.find(Namespace, 'shop', '')!.status.conditions!.find(({ type }) => type === 'NamespaceContentRemaining')
    expect(remaining).toMatchObject({ status: 'True', message: 'Some resources are remaining: pods. has 1 resource instances' })
    cluster.api.remove(Pod, 'web', 'shop')
    await cluster.settle()
    expect(cluster.api.find(ConfigMap, 'settings', 'shop')).toBeUndefined()
    expect(cluster.api.find(Namespace, 'shop', '')).toBeUndefined()
  })

  it('waits for finalizers and says which', async () => {
    await using cluster = testCluster([namespaceController])
    const client = cluster.api.client()
    await client.create(Namespace, { metadata: { name: 'shop' } })
    cluster.api.put(ConfigMap, { metadata: { name: 'held', namespace: 'shop', finalizers: ['example.com/hold'] } })
    await client.delete(Namespace, { name: 'shop' })
    await cluster.advance(1000)
    const condition = cluster.api
      .find(Namespace, 'shop', '')!
      .status.conditions!.find(({ type }) => type === 'NamespaceFinalizersRemaining')
    expect(condition).toMatchObject({
      status: 'True',
      message: 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    })
    cluster.api.change(
      ConfigMap,
      'held',
      held => {
        held.metadata.finalizers = []
      },
      'shop',
    )
    await cluster.advance(20_000)
    expect(cluster.api.find(Namespace, 'shop', '')).toBeUndefined()
  })

  it('leaves a namespace alone that other finalizers hold', async () => {
    await using cluster = testCluster([namespaceController])
    await cluster.api.client().create(Namespace, { metadata: { name: 'shop' } })
    await cluster.settle()
    expect(cluster.api.writes).toHaveLength(1)
  })
})

describe('what every namespace gets', () => {
  it('a default service account, again if it is deleted', async () => {
    await using cluster = testCluster([serviceAccountController])
    await cluster.api.client().create(Namespace, { metadata: { name: 'shop' } })
    await cluster.settle()
    expect(cluster.api.find(ServiceAccount, 'default', 'shop')).toBeDefined()
    cluster.api.remove(ServiceAccount, 'default', 'shop')
    await cluster.settle()
    expect(cluster.api.find(ServiceAccount, 'default', 'shop')).toBeDefined()
  })

  it('the certificates of the API server, kept as they must be', async () => {
    await using cluster = testCluster([rootCACertificatePublisherController], { rootCA: 'PEM' })
    await cluster.api.client().create(Namespace, { metadata: { name: 'shop' } })
    await cluster.settle()
    const { data } = cluster.api.find(ConfigMap, 'kube-root-ca.crt', 'shop')!
    expect(data).toEqual({ 'ca.crt': 'PEM' })
    cluster.api.change(
      ConfigMap,
      'kube-root-ca.crt',
      map => {
        map.data = { 'ca.crt': 'forged' }
      },
      'shop',
    )
    await cluster.settle()
    expect(cluster.api.find(ConfigMap, 'kube-root-ca.crt', 'shop')!.data).toEqual({ 'ca.crt': 'PEM' })
  })
})

describe('serviceaccount-token-controller', () => {
  const secret = {
    metadata: { name: 'bot', namespace: 'default', annotations: { 'kubernetes.io/service-account.name': 'bot' } },
    type: 'kubernetes.io/service-account-token',
  }
  const parameters = { rootCA: 'PEM', signServiceAccountToken: async () => 'signed' }

  it('fills a token secret', async () => {
    await using cluster = testCluster([serviceAccountTokenController], parameters)
    const account = cluster.api.put(ServiceAccount, { metadata: { name: 'bot', namespace: 'default' } })
    await cluster.api.client().create(Secret, secret)
    await cluster.settle()
    const { data, metadata } = cluster.api.find(Secret, 'bot')!
    expect(data).toEqual({ token: btoa('signed'), 'ca.crt': btoa('PEM'), namespace: btoa('default') })
    expect(metadata.annotations!['kubernetes.io/service-account.uid']).toBe(account.metadata.uid)
  })

  it('deletes the secret when its account goes', async () => {
    await using cluster = testCluster([serviceAccountTokenController], parameters)
    cluster.api.put(ServiceAccount, { metadata: { name: 'bot', namespace: 'default' } })
    await cluster.api.client().create(Secret, secret)
    await cluster.settle()
    cluster.api.remove(ServiceAccount, 'bot')
    await cluster.settle()
    expect(cluster.api.find(Secret, 'bot')).toBeUndefined()
  })
})
