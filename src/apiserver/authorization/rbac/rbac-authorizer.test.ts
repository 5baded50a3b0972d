import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { informers } from '#client/informers/informers.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'
import { bootstrapPolicy } from './bootstrap-policy.ts'
import { rule } from './policy-rule.ts'
import { rbacAuthorizer } from './rbac-authorizer.ts'
import { covers } from './rule-match.ts'

/** A client whose lists never change. */
function still(objects: Readonly<Record<string, readonly object[]>>): Client {
  return {
    list: async (kind: AnyKind) => ({
      metadata: { resourceVersion: '1' },
      items: (objects[kind.kind] ?? []).map(object => decode(kind.schema, object, { defaults: true, unknown: [] })),
    }),
    watch: () => ({ [Symbol.dispose]() {} }),
  } as unknown as Client
}

const role = (name: string, ...rules: unknown[]) => ({ metadata: { name, namespace: 'a' }, rules })
const binding = (name: string, kind: string, roleName: string, ...subjects: object[]) => ({
  metadata: { name, namespace: 'a' },
  subjects,
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: roleName },
})
const user = (name: string) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name })

async function authorizer(objects: Readonly<Record<string, readonly object[]>>) {
  const shared = informers({ client: still(objects), clock: virtualClock(), log: silentLogger })
  const rbac = rbacAuthorizer(shared)
  await shared.synced()
  return rbac
}

const ask = (name: string, verb: string, path: string, namespace = 'a', groups: readonly string[] = []) => {
  const [resource, objectName = ''] = path.split(' ')
  const [plural, subresource = ''] = resource!.split('/')
  return { user: { name, groups }, verb, group: '', version: 'v1', resource: plural!, subresource, namespace, name: objectName }
}

describe('RBAC', () => {
  it('allows what a role of the namespace says and names the binding', async () => {
    const rbac = await authorizer({
      Role: [role('reader', { apiGroups: [''], resources: ['pods'], verbs: ['get'] })],
      RoleBinding: [binding('rb', 'Role', 'reader', user('alice'))],
    })
    expect(rbac.authorize(ask('alice', 'get', 'pods'))).toEqual({
      verdict: 'allow',
      reason: 'RBAC: allowed by RoleBinding "rb/a" of Role "reader" to User "alice"',
    })
    for (const other of [
      ask('bob', 'get', 'pods'),
      ask('alice', 'list', 'pods'),
      ask('alice', 'get', 'pods/log'),
      ask('alice', 'get', 'pods', 'b'),
      ask('alice', 'get', 'pods', ''),
    ]) {
      expect(rbac.authorize(other)).toEqual({ verdict: 'no opinion', reason: '' })
    }
  })

  it('allows single names only where the name is known', async () => {
    const rbac = await authorizer({
      Role: [role('one', { apiGroups: [''], resources: ['secrets'], resourceNames: ['s'], verbs: ['*'] })],
      RoleBinding: [binding('rb', 'Role', 'one', { kind: 'ServiceAccount', name: 'sa' })],
    })
    const name = 'system:serviceaccount:a:sa'
    expect(rbac.authorize(ask(name, 'get', 'secrets s'))).toMatchObject({
      verdict: 'allow',
      reason: expect.stringContaining('to ServiceAccount "sa/a"'),
    })
    expect(rbac.authorize(ask(name, 'get', 'secrets t'))).toMatchObject({ verdict: 'no opinion' })
    expect(rbac.authorize(ask(name, 'list', 'secrets'))).toMatchObject({ verdict: 'no opinion' })
  })

  it('says which roles of bindings are missing', async () => {
    const rbac = await authorizer({
      RoleBinding: [binding('rb', 'Role', 'ghost', user('alice')), binding('rb2', 'ClusterRole', 'ghost-cr', user('alice'))],
    })
    expect(rbac.authorize(ask('alice', 'list', 'configmaps'))).toEqual({
      verdict: 'no opinion',
      reason: 'RBAC: [clusterrole.rbac.authorization.k8s.io "ghost-cr" not found, role.rbac.authorization.k8s.io "ghost" not found]',
    })
  })

  it('gives every authenticated user discovery, and nobody else, by the shipped policy', async () => {
    const policy = bootstrapPolicy()
    const rbac = await authorizer({ ClusterRole: policy.clusterRoles, ClusterRoleBinding: policy.clusterRoleBindings })
    const get = (path: string, group: string) => rbac.authorize({ user: { name: 'x', groups: [group] }, verb: 'get', path })
    expect(get('/apis/apps/v1', 'system:authenticated')).toMatchObject({ verdict: 'allow' })
    expect(get('/apis/apps/v1', 'system:unauthenticated')).toMatchObject({ verdict: 'no opinion' })
    expect(get('/version', 'system:unauthenticated')).toMatchObject({ verdict: 'allow' })
    expect(get('/metrics', 'system:authenticated')).toMatchObject({ verdict: 'no opinion' })
  })

  it('tells what somebody would grant beyond what they hold', async () => {
    const rbac = await authorizer({
      Role: [role('reader', { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] })],
      RoleBinding: [binding('rb', 'Role', 'reader', user('alice'))],
    })
    const alice = { name: 'alice', groups: [] }
    expect(rbac.notHeld(alice, 'a', [rule('get', '', 'pods/log')])).toEqual([])
    expect(rbac.notHeld(alice, 'a', [rule('get,delete', '', 'pods')])).toHaveLength(1)
    expect(rbac.notHeld({ name: 'root', groups: ['system:masters'] }, 'a', [rule('*', '*', '*')])).toEqual([])
  })
})

describe('covers', () => {
  it.each([
    [rule('*', '*', '*'), rule('get', 'apps', 'deployments'), true],
    [rule('get', '', '*/scale'), rule('get', '', 'pods/scale'), true],
    [rule('get', '', 'pods', 'a'), rule('get', '', 'pods'), false],
    [rule('get', '', 'pods'), rule('get', '', 'pods', 'a'), true],
    [rule('get,list', '', 'pods'), rule('*', '', 'pods'), false],
  ])('%j over %j is %s', (held, wanted, expected) => {
    expect(covers([held], wanted)).toBe(expected)
  })
})
