import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll } from 'vitest'
import { type ApiServerProcess, ask } from '../support/api-server-process.ts'
import { attack } from './attack.ts'

/* What tokens are good for, who may come without, and what is written down of it. */

const directory = mkdtempSync(join(tmpdir(), 't8s-security-'))
const file = (name: string, text: string) => {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

afterAll(() => rmSync(directory, { recursive: true }))

const KEY = '0123456789abcdef'
const SECRETS = '/api/v1/namespaces/kube-system/secrets'
const bootstrapToken = (id: string, more: object) => ({
  metadata: { name: `bootstrap-token-${id}` },
  type: 'bootstrap.kubernetes.io/token',
  stringData: { 'token-id': id, 'token-secret': KEY, 'usage-bootstrap-authentication': 'true', ...more },
})

attack({
  does: 'puts a group of their choice into a bootstrap token',
  flags: ['--enable-bootstrap-token-auth'],
  without: [
    {
      file: 'apiserver/authentication/bootstrap-token.ts',
      guard: 'if (!more.every(group => GROUP.test(group))) return undefined',
      instead: 'void GROUP',
    },
  ],
  async attempt(server) {
    await made(server, SECRETS, bootstrapToken('abcdef', { 'auth-extra-groups': 'system:masters' }))
    return (await ask(server, 'GET', '/api/v1/secrets', { token: `abcdef.${KEY}` })).status === 200
  },
})

attack({
  does: 'joins with a bootstrap token that has expired',
  flags: ['--enable-bootstrap-token-auth'],
  without: [
    {
      file: 'apiserver/authentication/bootstrap-token.ts',
      guard: 'if (expiresAt !== undefined && !(clock.now() < expiresAt)) return undefined',
      instead: 'void clock',
    },
  ],
  async attempt(server) {
    await made(server, SECRETS, bootstrapToken('fedcba', { expiration: '2020-01-01T00:00:00Z' }))
    return (await ask(server, 'GET', '/version', { token: `fedcba.${KEY}` })).status !== 401
  },
})

attack({
  does: 'gets a token for another service that lives for a year',
  without: [
    {
      file: 'apiserver/authentication/token-request.ts',
      guard: 'const isForServer = audiences.every(audience => options.audiences.includes(audience))',
      instead: 'const isForServer = true',
    },
  ],
  async attempt(server) {
    const { pod } = await pods(server)
    const spec = { audiences: ['vault'], expirationSeconds: 3607, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } }
    const { status } = await made(server, '/api/v1/namespaces/default/serviceaccounts/robot/token', { spec })
    const [, claims] = (status as { token: string }).token.split('.')
    const { exp, iat } = JSON.parse(Buffer.from(claims!, 'base64url').toString()) as { exp: number; iat: number }
    return exp - iat > 86_400
  },
})

attack({
  does: 'binds the token of a strong account to a pod of a weak one',
  without: [
    {
      file: 'apiserver/authentication/token-request.ts',
      guard: 'if (objects.accountOf(namespace, name) !== account) {',
      instead: 'if (account === undefined) {',
    },
  ],
  async attempt(server) {
    const { pod } = await pods(server)
    await made(server, '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'strong' } })
    const spec = { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } }
    const path = '/api/v1/namespaces/default/serviceaccounts/strong/token'
    return (await ask(server, 'POST', path, { token: 'admin', body: { spec } })).status === 201
  },
})

attack({
  does: 'has, as a node, a token made for somebody whom its pod does not name',
  flags: ['--enable-admission-plugins=NodeRestriction'],
  without: [
    {
      file: 'apiserver/admission/node-restriction.ts',
      guard: 'return audienceProblem(request, pod, informers, authorizer)',
      instead: 'return undefined',
    },
  ],
  async attempt(server) {
    const { pod } = await pods(server)
    const asNode = (audiences: readonly string[]) =>
      ask(server, 'POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', {
        token: 'node-1',
        body: { spec: { audiences, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } } },
      })
    const own = await asNode([])
    if (own.status !== 201) throw new Error(`the node gets no token for its own pod: ${own.text}`)
    return (await asNode(['bank'])).status === 201
  },
})

const anonymous = `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous:
  enabled: true
  conditions:
  - path: /livez
  - path: /readyz
`

attack({
  does: 'asks without a name for more than anybody may',
  flags: [`--authentication-config=${file('authentication.yaml', anonymous)}`],
  without: [
    {
      file: 'apiserver/http/identification.ts',
      guard: "return typeof this.#anonymous === 'boolean' ? this.#anonymous : this.#anonymous.includes(path)",
      instead: 'return path !== undefined',
    },
  ],
  async attempt(server) {
    const live = await ask(server, 'GET', '/livez', {})
    if (live.status !== 200) throw new Error(`nobody may ask whether the server lives: ${live.text}`)
    return (await ask(server, 'GET', '/version', {})).status === 200
  },
})

const everything = `apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- level: RequestResponse
`

attack({
  does: 'reads passwords in the audit log',
  flags: [`--audit-policy-file=${file('audit.yaml', everything)}`, '--audit-log-path=-'],
  without: [
    {
      file: 'apiserver/audit/policy-evaluator.ts',
      guard: "return 'resource' in attributes && isConfidential(attributes) && !names(rule, attributes) ? withoutBodies : decision",
      instead: 'void [isConfidential, names, withoutBodies]; return decision',
    },
  ],
  async attempt(server) {
    await made(server, '/api/v1/namespaces/default/secrets', { metadata: { name: 'door' }, stringData: { password: 'hunter2' } })
    // The log is written beside the answer: what was recorded later is there once what was recorded before is.
    await ask(server, 'GET', '/version', { token: 'admin', headers: { 'audit-id': 'the-end' } })
    for (let turn = 0; !server.log().includes('the-end') && turn < 500; turn++) await delay(20)
    return server.log().includes('hunter2')
  },
})

/** A pod on node-1 that runs as robot. */
async function pods(server: ApiServerProcess): Promise<{ readonly pod: { readonly name: string; readonly uid: string } }> {
  await made(server, '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } })
  const volumes = [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }]
  const { metadata } = await made(server, '/api/v1/namespaces/default/pods', {
    metadata: { name: 'web' },
    spec: { nodeName: 'node-1', serviceAccountName: 'robot', containers: [{ name: 'web', image: 'web' }], volumes },
  })
  const { name, uid } = metadata as { name: string; uid: string }
  return { pod: { name, uid } }
}

/** What the administrator creates. */
async function made(server: ApiServerProcess, path: string, body: object): Promise<Record<string, unknown>> {
  const { status, text } = await ask(server, 'POST', path, { token: 'admin', body })
  if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}
