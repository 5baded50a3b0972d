import { describe, expect, it } from 'vitest'
import { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'
import { CertificateSigningRequest } from '#kinds/certificates/v1/certificate-signing-request.ts'
import {
  certificateSigningRequestApprovingController,
  certificateSigningRequestCleanerController,
  certificateSigningRequestSigningController,
} from './certificates.ts'
import type { CertificateRequest, CertificateSigner } from './runtime/parameters.ts'
import { testCluster } from './runtime/test-cluster.ts'

const asked: CertificateRequest = {
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
}

function start(request: Partial<CertificateRequest> = {}) {
  const signed: number[] = []
  const certificateSigner: CertificateSigner = {
    parse: async () => ({ ...asked, ...request }),
    async sign({ durationMs }) {
      signed.push(durationMs)
      return 'CERT'
    },
    notAfter: async () => Number.POSITIVE_INFINITY,
  }
  const all = [
    certificateSigningRequestApprovingController,
    certificateSigningRequestSigningController,
    certificateSigningRequestCleanerController,
  ]
  return { cluster: testCluster(all, { certificateSigner }), signed }
}

const csr = (spec: object = {}) => ({
  metadata: { name: 'r' },
  spec: {
    request: btoa('PEM'),
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    usages: ['digital signature', 'client auth'],
    username: 'system:node:n1',
    ...spec,
  },
})

const approved = {
  conditions: [{ type: 'Approved', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z', lastTransitionTime: '2026-01-01T00:00:00Z' }],
}

describe('certificate requests', () => {
  it('of kubelets are approved if they may have them, and signed', async () => {
    const { cluster, signed } = start()
    await using _ = cluster
    cluster.api.admit = (kind, object) => {
      if (kind === SubjectAccessReview) Object.assign(object, { status: { allowed: true } })
    }
    await cluster.api.client().create(CertificateSigningRequest, csr({ expirationSeconds: 3600 }))
    await cluster.settle()
    const { status } = cluster.api.find(CertificateSigningRequest, 'r', '')!
    expect(status.conditions).toMatchObject([
      { type: 'Approved', reason: 'AutoApproved', message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' },
    ])
    expect(atob(status.certificate!)).toBe('CERT')
    expect(signed).toEqual([3600_000])
  })

  it('that ask for what their signer does not give fail', async () => {
    const { cluster } = start({ dnsNames: ['evil.example.com'] })
    await using _ = cluster
    cluster.api.put(CertificateSigningRequest, { ...csr(), status: approved })
    await cluster.settle()
    const { status } = cluster.api.find(CertificateSigningRequest, 'r', '')!
    expect(status.certificate).toBeUndefined()
    expect(status.conditions!.at(-1)).toMatchObject({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'DNS subjectAltNames are not allowed',
    })
  })

  it('that nobody decides about go after a day', async () => {
    const { cluster } = start()
    await using _ = cluster
    await cluster.api.client().create(CertificateSigningRequest, csr({ signerName: 'example.com/own' }))
    await cluster.advance(23 * 3600_000)
    expect(cluster.api.find(CertificateSigningRequest, 'r', '')).toBeDefined()
    await cluster.advance(3600_000)
    expect(cluster.api.find(CertificateSigningRequest, 'r', '')).toBeUndefined()
  })
})
