import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { type CertificateAuthority, certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { certificateVerifier } from '#base/pki/client-certificate.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { requestHeaderAuthenticator } from './request-header.ts'

const clock = virtualClock()
let proxies: CertificateAuthority
let users: CertificateAuthority

beforeAll(async () => {
  proxies = certificateAuthority(clock, await newAuthority(clock, 'front-proxy-ca'))
  users = certificateAuthority(clock, await newAuthority(clock, 'ca'))
})

const authenticator = (allowedNames: readonly string[] = ['front-proxy']) =>
  requestHeaderAuthenticator({
    verifier: certificateVerifier(proxies.certificate),
    allowedNames,
    usernameHeaders: ['X-Remote-User'],
    uidHeaders: ['X-Remote-Uid'],
    groupHeaders: ['X-Remote-Group'],
    extraHeaderPrefixes: ['X-Remote-Extra-'],
    clock,
  })

async function credentials(by: CertificateAuthority | undefined, raw: readonly string[], commonName = 'front-proxy') {
  const issued = by && (await by.issue({ commonName, organizations: [], usages: ['client'], validSeconds: 60 }))
  const headers = Object.fromEntries(raw.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), raw[at + 1]]] : [])))
  return {
    headers,
    rawHeaders: raw,
    ...(issued ? { certificate: { raw: new X509Certificate(issued.certificate).raw, issuers: [] } } : {}),
  }
}

describe('the headers of a front proxy', () => {
  it('name the user, the groups one by one, and further facts', async () => {
    const raw = ['X-Remote-User', 'alice', 'X-Remote-Uid', 'u1', 'X-Remote-Group', 'CN=a,OU=b', 'X-Remote-Group', 'devs']
    const extra = ['X-Remote-Extra-Acme.com%2Fproject', 'x', 'X-Remote-Extra-__proto__', 'y']
    const found = await authenticator().authenticate(await credentials(proxies, [...raw, ...extra]))
    expect(found?.user).toMatchObject({ name: 'alice', uid: 'u1', groups: ['CN=a,OU=b', 'devs'] })
    expect(Object.entries(found!.user.extra!)).toEqual([
      ['acme.com/project', ['x']],
      ['__proto__', ['y']],
    ])
  })

  it('say nothing without a certificate', async () => {
    const forged = await credentials(undefined, ['X-Remote-User', 'admin', 'X-Remote-Group', 'system:masters'])
    expect(await authenticator().authenticate(forged)).toBeUndefined()
  })

  it('are not believed of a user with a certificate, nor of a proxy of another name', async () => {
    const raw = ['X-Remote-User', 'admin']
    await expect(authenticator().authenticate(await credentials(users, raw))).rejects.toThrow('signed by no known authority')
    await expect(authenticator().authenticate(await credentials(proxies, raw, 'other'))).rejects.toThrow('none whose headers are believed')
    expect(await authenticator([]).authenticate(await credentials(proxies, raw, 'other'))).toMatchObject({ user: { name: 'admin' } })
  })

  it('keep a connection from being taken for one user', () => {
    expect(authenticator().looksAt!({ 'x-remote-user': 'alice' })).toBe(true)
    expect(authenticator().looksAt!({})).toBe(false)
  })
})
