import { type ApiServerProcess, ask, type Question } from '../support/api-server-process.ts'
import { attack } from './attack.ts'

/* Who may do what: attacks on authentication and authorization. */

const RBAC = '/apis/rbac.authorization.k8s.io/v1'

attack({
  does: 'shows the API server a token that was made for another audience',
  without: [
    {
      file: 'apiserver/authentication/service-account-token.ts',
      guard: 'const audiences = wanted.filter(audience => named.includes(audience))',
      instead: 'const audiences = wanted',
    },
  ],
  async attempt(server) {
    await made(server, '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } })
    const spec = { audiences: ['vault'], expirationSeconds: 3600 }
    const { status } = await made(server, '/api/v1/namespaces/default/serviceaccounts/robot/token', { spec })
    const review = await ask(server, 'GET', '/apis/authentication.k8s.io/v1', { token: (status as { token: string }).token })
    return review.status !== 401
  },
})

attack({
  does: 'gives away more than they hold, by a role of their own making',
  without: [
    {
      file: 'apiserver/admission/role-escalation.ts',
      guard: 'confirm(roles, request, rules ?? [])',
      instead: 'void rules',
    },
  ],
  async attempt(server) {
    await allow(server, 'mallory', [{ apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], verbs: ['create'] }])
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }]
    return (
      (await ask(server, 'POST', `${RBAC}/clusterroles`, { token: 'mallory', body: { metadata: { name: 'all' }, rules } })).status === 201
    )
  },
})

attack({
  does: 'puts on the group of the masters with a user they may act as',
  without: [
    {
      file: 'apiserver/http/impersonation-modes.ts',
      guard: 'for (const name of groups) await must(authorizer, { ...ask, name })',
      instead: 'void MANY',
    },
  ],
  async attempt(server) {
    await allow(server, 'mallory', [{ apiGroups: [''], resources: ['users'], verbs: ['impersonate'], resourceNames: ['bob'] }])
    const headers = { 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' }
    return (await ask(server, 'GET', '/api/v1/secrets', { token: 'mallory', headers })).status === 200
  },
})

attack({
  does: 'reads, as one node, a secret that only pods of another node use',
  without: [
    {
      file: 'apiserver/authorization/node/node-authorizer.ts',
      guard: "pods.byIndex('node', node).some(pod => readsOf(pod).has(key))",
      instead: 'pods.list().some(pod => readsOf(pod).has(key)) || node === ""',
    },
  ],
  async attempt(server) {
    await made(server, '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } })
    await made(server, '/api/v1/namespaces/default/secrets', { metadata: { name: 'keys' }, stringData: { key: 'x' } })
    await made(server, '/api/v1/namespaces/default/pods', {
      metadata: { name: 'web' },
      spec: {
        nodeName: 'node-1',
        containers: [{ name: 'web', image: 'web', env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'key' } } }] }],
      },
    })
    const read = (token: string) => ask(server, 'GET', '/api/v1/namespaces/default/secrets/keys', { token })
    const own = await read('node-1')
    if (own.status !== 200) throw new Error(`its own node cannot read the secret: ${own.text}`)
    return (await read('node-2')).status === 200
  },
})

attack({
  does: 'says in headers who they are, as only a front proxy may',
  without: [
    {
      file: 'apiserver/authentication/request-header.ts',
      guard: 'if (!certificate || !usernames.some(name => headers[name])) return undefined',
      instead: 'if (!usernames.some(name => headers[name])) return undefined',
    },
    {
      file: 'apiserver/authentication/request-header.ts',
      guard: 'const { commonName } = verifier.verify(certificate.raw, certificate.issuers, clock.now())',
      instead: "const commonName = ''",
    },
  ],
  async attempt(server) {
    const headers = { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' }
    return (await ask(server, 'GET', '/api/v1/secrets', { headers })).status === 200
  },
})

/** Lets a user do something, by a role of that name. */
async function allow(server: ApiServerProcess, user: string, rules: readonly object[]): Promise<void> {
  await made(server, `${RBAC}/clusterroles`, { metadata: { name: user }, rules })
  await made(server, `${RBAC}/clusterrolebindings`, {
    metadata: { name: user },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: user },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  })
}

/** What the administrator creates. */
async function made(server: ApiServerProcess, path: string, body: object): Promise<Record<string, unknown>> {
  const question: Question = { token: 'admin', body }
  const { status, text } = await ask(server, 'POST', path, question)
  if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}
