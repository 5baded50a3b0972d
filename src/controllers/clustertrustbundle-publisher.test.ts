import { describe, expect, it } from 'vitest'
import { ClusterTrustBundle } from '#kinds/certificates/v1beta1/cluster-trust-bundle.ts'
import { PodCertificateRequest } from '#kinds/certificates/v1beta1/pod-certificate-request.ts'
import { bundleName, clusterTrustBundlePublisherController } from './clustertrustbundle-publisher.ts'
import { podCertificateRequestCleanerController } from './podcertificaterequest-cleaner.ts'
import { testCluster } from './runtime/test-cluster.ts'

const SIGNER = 'kubernetes.io/kube-apiserver-serving'

describe('kube-apiserver-serving-clustertrustbundle-publisher-controller', () => {
  it('names a bundle by its signer and what is in it', () => {
    expect(bundleName(SIGNER, 'PEM')).toMatch(/^kubernetes\.io:kube-apiserver-serving:[0-9a-f]{24}$/)
    expect(bundleName(SIGNER, 'PEM')).not.toBe(bundleName(SIGNER, 'OTHER'))
  })

  it('publishes the certificates, mends what others change, and removes what is old', async () => {
    await using cluster = testCluster([clusterTrustBundlePublisherController], { rootCA: 'PEM' })
    const { api } = cluster
    const name = bundleName(SIGNER, 'PEM')
    const bundles = () => api.all(ClusterTrustBundle).map(({ metadata, spec }) => [metadata.name, spec.trustBundle])
    await cluster.settle()
    expect(bundles()).toEqual([[name, 'PEM']])
    api.put(ClusterTrustBundle, { metadata: { name: 'people' }, spec: { trustBundle: 'THEIRS' } })
    api.put(ClusterTrustBundle, { metadata: { name: bundleName(SIGNER, 'OLD') }, spec: { signerName: SIGNER, trustBundle: 'OLD' } })
    api.change(
      ClusterTrustBundle,
      name,
      next => {
        next.spec.trustBundle = 'FORGED'
      },
      '',
    )
    await cluster.advance(1_000)
    expect(bundles().sort()).toEqual([
      [name, 'PEM'],
      ['people', 'THEIRS'],
    ])
    api.remove(ClusterTrustBundle, name, '')
    await cluster.advance(1_000)
    expect(bundles().map(([one]) => one)).toContain(name)
  })

  it('publishes nothing where there are no certificates', async () => {
    await using cluster = testCluster([clusterTrustBundlePublisherController])
    await cluster.advance(1_000)
    expect(cluster.api.writes).toEqual([])
  })
})

describe('podcertificaterequest-cleaner-controller', () => {
  it('deletes a request after a quarter of an hour, and no other one of its name', async () => {
    await using cluster = testCluster([podCertificateRequestCleanerController])
    const ask = () =>
      cluster.api.put(PodCertificateRequest, { metadata: { name: 'r', namespace: 'default' }, spec: { signerName: 'example.com/s' } })
    const isThere = () => cluster.api.find(PodCertificateRequest, 'r') !== undefined
    ask()
    await cluster.advance(14 * 60_000)
    expect(isThere()).toBe(true)
    cluster.api.remove(PodCertificateRequest, 'r')
    ask()
    await cluster.advance(10 * 60_000)
    expect(isThere()).toBe(true)
    await cluster.advance(6 * 60_000)
    expect(isThere()).toBe(false)
  })
})
