import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { virtualClock } from '../time/virtual-clock.ts'
import { readCertificate } from './certificate.ts'
import { certificateAuthority, newAuthority, newCertificateRequest } from './certificate-authority.ts'
import { readCertificationRequest } from './certification-request.ts'
import { derSequence, derValues } from './der.ts'
import { pemBlocks } from './pem.ts'
import { readPublicKey } from './public-key.ts'

const der = (tag: number, ...parts: Uint8Array[]) => {
  const content = Buffer.concat(parts)
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const algorithms: Readonly<Record<string, string>> = {
  ec: '06082a8648ce3d040302',
  ed25519: '06032b6570',
  rsa: '06092a864886f70d01010b0500',
}

/** An empty request, as kubelets make them: no subject, no names, only a key and its signature. */
function emptyRequest(type: 'ec' | 'ed25519' | 'rsa', keys: { publicKey: KeyObject; privateKey: KeyObject }, signer = keys): Buffer {
  const info = der(0x30, Buffer.from('020100', 'hex'), der(0x30), keys.publicKey.export({ type: 'spki', format: 'der' }), der(0xa0))
  const signature = sign(type === 'ed25519' ? null : 'sha256', info, signer.privateKey)
  return der(0x30, info, der(0x30, Buffer.from(algorithms[type]!, 'hex')), der(0x03, Buffer.from([0]), signature))
}
const pairs = {
  ec: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ed25519: () => generateKeyPairSync('ed25519'),
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
}

describe('a request for a certificate', () => {
  it.each(['ec', 'ed25519', 'rsa'] as const)('is signed by the %s key that it names, and by no other', type => {
    const [mine, other] = [pairs[type](), pairs[type]()]
    const read = readCertificationRequest(emptyRequest(type, mine))
    expect(read?.publicKey?.type).toBe(type)
    expect(read?.isSigned()).toBe(true)
    expect(readCertificationRequest(emptyRequest(type, mine, other))?.isSigned()).toBe(false)
  })

  it('is not signed once a bit of it has changed', () => {
    const request = emptyRequest('ec', pairs.ec())
    const changed = Buffer.from(request)
    changed[request.length - 1]! ^= 1
    expect(readCertificationRequest(changed)?.isSigned()).toBe(false)
  })

  it('is none when it ends too early, too late, or is something else', () => {
    const request = emptyRequest('ec', pairs.ec())
    for (const bytes of [request.subarray(0, -1), Buffer.concat([request, Buffer.from([0])]), Buffer.from('nothing'), Buffer.alloc(0)]) {
      expect(readCertificationRequest(bytes)).toBeUndefined()
    }
    expect(readPublicKey(request)).toBeUndefined()
  })

  it('of other makers is read too, and the certificate made from it is for its key', async () => {
    const clock = virtualClock()
    const made = await newCertificateRequest({ commonName: 'x', dnsNames: ['a.example', 'b.example'] })
    const authority = certificateAuthority(clock, await newAuthority(clock, 'ca'))
    const pem = await authority.sign(made.request, { usages: ['client'], validSeconds: 7200 })
    const request = readCertificationRequest(pemBlocks(made.request)[0]!.der)
    const certificate = readCertificate(pemBlocks(pem)[0]!.der)
    expect(request?.isSigned()).toBe(true)
    expect(certificate?.publicKey.spki).toBe(request?.publicKey?.spki)
    expect(certificate?.dnsNames).toEqual(['a.example', 'b.example'])
    expect(certificate!.notAfter - certificate!.notBefore).toBe((7200 + 300) * 1000)
  })
})

describe('DER', () => {
  it('has lengths in their shortest form only, and nothing that reaches beyond the end', () => {
    expect(derSequence(der(0x30, der(0x02, Buffer.from([1]))))?.map(({ tag }) => tag)).toEqual([0x02])
    for (const hex of ['3081020500', '30', '3003', '308000', '30840000000105', '3085000000000100']) {
      expect(derValues(Buffer.from(hex, 'hex')), hex).toBeUndefined()
    }
  })
})
