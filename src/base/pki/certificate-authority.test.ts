import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { virtualClock } from '../time/virtual-clock.ts'
import { type CertificateAuthority, certificateAuthority, newAuthority, readCertificateRequest } from './certificate-authority.ts'

const clock = virtualClock()
const day = 86_400
let authority: CertificateAuthority

beforeAll(async () => {
  authority = certificateAuthority(clock, await newAuthority(clock, 'kubernetes'))
})

describe('a certificate authority', () => {
  it('signs a certificate that names the user and the groups', async () => {
    const issued = await authority.issue({
      commonName: 'system:node:n1',
      organizations: ['system:nodes', 'devs'],
      usages: ['client'],
      validSeconds: day,
    })
    const certificate = new X509Certificate(issued.certificate)
    expect(certificate.subject.split('\n')).toEqual(['CN=system:node:n1', 'O=system:nodes', 'O=devs'])
    expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(certificate.ca).toBe(false)
  })

  it('puts host names and addresses into a server certificate', async () => {
    const issued = await authority.issue({
      commonName: 'kube-apiserver',
      dnsNames: ['kubernetes.default'],
      ipAddresses: ['10.96.0.1', '::1'],
      usages: ['server'],
      validSeconds: day,
    })
    const certificate = new X509Certificate(issued.certificate)
    expect(certificate.checkHost('kubernetes.default')).toBe('kubernetes.default')
    expect(certificate.checkIP('10.96.0.1')).toBe('10.96.0.1')
    expect(certificate.checkHost('elsewhere')).toBeUndefined()
  })

  it('lets no certificate outlive it', async () => {
    const issued = await authority.issue({ commonName: 'x', usages: ['client'], validSeconds: 100 * 365 * day })
    expect(new X509Certificate(issued.certificate).validTo).toBe(new X509Certificate(authority.certificate).validTo)
  })

  it('refuses to read what is no certificate request', async () => {
    await expect(readCertificateRequest('hello')).rejects.toThrow()
  })
})
