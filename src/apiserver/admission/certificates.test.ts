import { describe, expect, it } from 'vitest'
import { CertificateSigningRequest } from '#kinds/certificates/v1/certificate-signing-request.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import { decodeObject } from '../registry/body.ts'
import type { AdmissionRequest } from './admission.ts'
import { organizationsOf } from './certificate-subject.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts'

/** Just enough of a request: a sequence with the organization `name`. */
function pemOf(name: string): string {
  const value = String.fromCharCode(0x06, 0x03, 0x55, 0x04, 0x0a, 0x0c, name.length) + name
  return btoa(`-----BEGIN CERTIFICATE REQUEST-----\n${btoa(value)}\n-----END CERTIFICATE REQUEST-----\n`)
}

const signer = 'kubernetes.io/kube-apiserver-client'
const requestOf = (group: string, status: object = {}) =>
  decodeObject(CertificateSigningRequest, {
    metadata: { name: 'c' },
    spec: { request: pemOf(group), signerName: signer, usages: ['client auth'] },
    status,
  }) as Mutable<ApiObject>

const write = (operation: 'CREATE' | 'UPDATE', subresource: string, object: Mutable<ApiObject>, old?: ApiObject): AdmissionRequest => ({
  operation,
  kind: CertificateSigningRequest,
  subresource,
  namespace: '',
  name: 'c',
  object,
  old,
  user: { name: 'alice', groups: [] },
  dryRun: false,
  warn: () => undefined,
})

const allowing = (...allowed: string[]): Authorizer => ({
  name: 'test',
  authorize: attributes => ({
    verdict: 'name' in attributes && allowed.includes(`${attributes.verb} ${attributes.name}`) ? 'allow' : 'no opinion',
    reason: '',
  }),
})

describe('certificate requests', () => {
  it('are approved by who may approve for the signer, or for all of its domain', async () => {
    const approve = write('UPDATE', 'approval', requestOf('devs'), requestOf('devs'))
    await expect(certificateApproval(allowing()).validate!(approve)).rejects.toThrow(
      'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with signerName ' +
        '"kubernetes.io/kube-apiserver-client"',
    )
    await certificateApproval(allowing(`approve ${signer}`)).validate!(approve)
    await certificateApproval(allowing('approve kubernetes.io/*')).validate!(approve)
  })

  it('are signed by who may sign; who changes nothing is not asked', async () => {
    const signed = requestOf('devs', { certificate: 'YQ==' })
    await expect(certificateSigning(allowing()).validate!(write('UPDATE', 'status', signed, requestOf('devs')))).rejects.toThrow(
      'user not permitted to sign requests',
    )
    await certificateSigning(allowing()).validate!(write('UPDATE', 'status', signed, signed))
  })

  it('are not for masters', () => {
    expect(organizationsOf(pemOf('devs'))).toEqual(['devs'])
    expect(() => certificateSubjectRestriction.validate!(write('CREATE', '', requestOf('system:masters')))).toThrow(
      'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
    )
    void certificateSubjectRestriction.validate!(write('CREATE', '', requestOf('devs')))
  })
})
