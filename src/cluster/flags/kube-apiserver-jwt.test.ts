import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { realClock } from '#base/time/real-clock.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type AssembledApiServer, assembleApiServer } from '../components/assembled-api-server.ts'
import { readCommandLine } from './flag-set.ts'
import { kubeApiserver } from './kube-apiserver.ts'
import { type JwtAuthentication, jwtAuthentication } from './kube-apiserver-jwt.ts'

const clock = realClock()
// The machine may be busy with other things.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
const ISSUER = 'https://kubernetes.default.svc'
const store = new MemoryStore({ clock })
let cluster: AssembledApiServer
let port: number
let ca: string
let directory: string

/** A cluster that issues tokens and tells its keys, as any other OpenID provider. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'jwt-'))
  const keys = newKeyPair()
  cluster = await assembleApiServer({
    store,
    clock,
    random: systemRandom(),
    log: silentLogger,
    authorizers: [{ type: 'AlwaysAllow' }],
    admission: { enabled: [], disabled: ['ServiceAccount'] },
    serviceCIDRs: ['10.96.0.0/16'],
    nodePortRange: '30000-32767',
    serviceAccounts: { issuers: [ISSUER], audiences: [ISSUER], signingKey: keys.privateKey, verificationKeys: [keys.publicKey] },
  })
  const authority = certificateAuthority(clock, await newAuthority(clock, 'ca'))
  const issued = await authority.issue({ commonName: 'apiserver', usages: ['server'], ipAddresses: ['127.0.0.1'], validSeconds: 3600 })
  ca = authority.certificate
  const listening = await cluster.server.listen({
    address: '127.0.0.1',
    port: 0,
    tls: { certificate: issued.certificate, key: issued.privateKey },
    authenticator: cluster.authenticator,
    // Where the keys are is told by the port, which is known only now.
    documents: [{ serve: async (context, path) => (await cluster.documentsAt(`127.0.0.1:${port}`)[0]?.serve(context, path)) ?? false }],
  })
  port = listening.port
  const client = cluster.clientFor({ name: 'admin', groups: ['system:masters'] })
  await client.create(Namespace, { metadata: { name: 'a' } })
  await client.create(ServiceAccount, { metadata: { namespace: 'a', name: 'robot' } })
})

afterAll(async () => {
  await cluster.stop()
  await store.close()
  rmSync(directory, { recursive: true })
})

let running: JwtAuthentication | undefined
afterEach(() => running?.[Symbol.dispose]())

function start(...args: string[]): { readonly jwt: JwtAuthentication; readonly registry: Registry } {
  const line = readCommandLine(kubeApiserver, args, 'v1')
  if (line.do !== 'run') throw new Error(line.text)
  const registry = new Registry()
  const jwt = jwtAuthentication(line.values, line.given, { clock, log: silentLogger, registry, serverId: 'test' })
  running = jwt
  return { jwt, registry }
}

async function tokenFor(...audiences: string[]): Promise<string> {
  const client = cluster.clientFor({ name: 'admin', groups: ['system:masters'] })
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences } }
  const answer = await client.subresource(ServiceAccount, { namespace: 'a', name: 'robot' }, { subresource: 'token', verb: 'create', body })
  return (answer as { status: { token: string } }).status.token
}

/** The condition is looked at until it holds. */
async function eventually<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let turn = 0; ; turn++) {
    const value = await look()
    if (holds(value) || turn > 2500) return value
    await new Promise(resolve => clock.after(20, () => resolve(undefined)))
  }
}

const indented = (text: string) => text.trim().replaceAll('\n', '\n        ')
const configuration = (prefix: string) => `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: ${ISSUER}
    discoveryURL: https://127.0.0.1:${port}/.well-known/openid-configuration
    audiences: [other-cluster]
    certificateAuthority: |
        ${indented(ca)}
  claimMappings:
    username:
      expression: "'${prefix}' + claims.sub"
    extra:
    - key: example.org/namespace
      valueExpression: claims['kubernetes.io'].namespace
anonymous:
  enabled: true
  conditions:
  - path: /livez
`

const write = (name: string, text: string) => {
  const file = join(directory, name)
  writeFileSync(file, text)
  return `--authentication-config=${file}`
}

describe('the tokens of another cluster', () => {
  it('are known by its own description of itself and its keys', async () => {
    const { jwt } = start(write('good.yaml', configuration('east:')))
    const bearerToken = await tokenFor('other-cluster')
    const ask = () => jwt.authenticator!.authenticate({ bearerToken, headers: {} }).catch(() => undefined)
    const found = await eventually(ask, user => user !== undefined)
    expect(found?.user).toEqual({
      name: 'east:system:serviceaccount:a:robot',
      groups: [],
      extra: { 'example.org/namespace': ['a'] },
    })
    const forItself = await tokenFor(ISSUER)
    await expect(jwt.authenticator!.authenticate({ bearerToken: forItself, headers: {} })).rejects.toThrow('expected audience')
    expect(jwt.anonymous).toEqual(['/livez'])
  })

  it('are known as a changed file says, and as before where it cannot be used', async () => {
    const { jwt, registry } = start(write('changing.yaml', configuration('one:')))
    const bearerToken = await tokenFor('other-cluster')
    const name = async () => (await jwt.authenticator!.authenticate({ bearerToken, headers: {} }).catch(() => undefined))?.user.name ?? ''
    await eventually(name, found => found.startsWith('one:'))
    write('changing.yaml', configuration('two:'))
    expect(await eventually(name, found => found.startsWith('two:'))).toBe('two:system:serviceaccount:a:robot')
    write('changing.yaml', configuration('three:').replace('kind: AuthenticationConfiguration', 'kind: Something'))
    const failures = await eventually(
      () => registry.metrics(),
      text => text.includes('status="failure"'),
    )
    expect(failures).toMatch(/apiserver_authentication_config_controller_automatic_reloads_total\{status="success",.*\} 1/)
    expect(failures).toMatch(/apiserver_authentication_config_controller_automatic_reloads_total\{status="failure",.*\} 1/)
    expect(failures.match(/last_config_info\{/g)).toHaveLength(1)
    expect(await name()).toBe('two:system:serviceaccount:a:robot')
  })
})

describe('what cannot be used', () => {
  it.each([
    [
      'jwt: [{issuer: {url: "http://x", audiences: [a]}}]',
      /wrong.yaml:3:\d+: jwt\[0\].issuer.url: Invalid value: "http:\/\/x": URL scheme must be https/,
    ],
    ['jwt: [{issuer: {urll: "http://x"}}]', /wrong.yaml:3:\d+: unknown field "jwt\[0\].issuer.urll"; did you mean url\?/],
    ['jwt: [', /wrong.yaml:\d+:\d+: yaml: /],
  ])('in a file (%s) is told with its place', (text, message) => {
    const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n'
    expect(() => start(write('wrong.yaml', `${head}${text}\n`))).toThrow(message)
  })

  it('of the flags is told', () => {
    expect(() => start('--oidc-issuer-url=https://x')).toThrow('oidc-issuer-url and oidc-client-id must be specified together')
    expect(() => start('--oidc-issuer-url=http://x', '--oidc-client-id=a')).toThrow('jwt[0].issuer.url')
    expect(() => start('--oidc-issuer-url=https://x', '--oidc-client-id=a', '--oidc-signing-algs=HS256')).toThrow(
      'unsupported signing alg: "HS256"',
    )
    expect(() => start(write('x.yaml', configuration('')), '--oidc-client-id=a')).toThrow('mutually exclusive')
    expect(() => start(write('x.yaml', configuration('')), '--anonymous-auth=true')).toThrow('--anonymous-auth flag cannot be set')
    expect(() => start('--authentication-config=/nowhere/x')).toThrow('--authentication-config: /nowhere/x cannot be read (ENOENT)')
  })
})
