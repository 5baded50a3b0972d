import { describe, expect, it } from 'vitest'
import type { Attributes } from '../authorizer.ts'
import { abacAuthorizer, abacPolicies } from './abac-authorizer.ts'

const policy = (spec: object) => JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec })
const authorizer = abacAuthorizer(
  abacPolicies(
    [
      '# who may what',
      policy({ user: 'alice', namespace: '*', resource: '*', apiGroup: '*' }),
      '',
      policy({ group: 'devs', readonly: true, namespace: 'shop', resource: 'pods', apiGroup: '' }),
      policy({ group: 'system:authenticated', readonly: true, nonResourcePath: '/healthz*' }),
      policy({ namespace: '*', resource: '*', apiGroup: '*' }),
    ].join('\n'),
    'policies.jsonl',
  ),
)

const ask = (name: string, groups: readonly string[], verb: string, resource: string, namespace = 'shop') =>
  (
    authorizer.authorize({ user: { name, groups }, verb, group: '', version: 'v1', resource, subresource: '', namespace, name: '' }) as {
      verdict: string
    }
  ).verdict
const askPath = (groups: readonly string[], verb: string, path: string) =>
  (authorizer.authorize({ user: { name: 'x', groups }, verb, path } satisfies Attributes) as { verdict: string }).verdict

describe('ABAC', () => {
  it('allows what a policy says of the user or a group', () => {
    expect(ask('alice', [], 'delete', 'secrets')).toBe('allow')
    expect(ask('bob', ['devs'], 'list', 'pods')).toBe('allow')
    expect(askPath(['system:authenticated'], 'get', '/healthz/etcd')).toBe('allow')
  })

  it('allows nothing else, and nothing to nobody in particular', () => {
    expect(ask('bob', ['devs'], 'create', 'pods')).toBe('no opinion')
    expect(ask('bob', ['devs'], 'list', 'pods', 'other')).toBe('no opinion')
    expect(ask('bob', ['devs'], 'list', 'secrets')).toBe('no opinion')
    expect(ask('carol', [], 'get', 'pods')).toBe('no opinion')
    expect(askPath(['system:authenticated'], 'post', '/healthz')).toBe('no opinion')
    expect(askPath([], 'get', '/healthz')).toBe('no opinion')
  })

  it('tells what somebody may do', () => {
    expect(authorizer.rulesFor!({ name: 'bob', groups: ['devs'] }, 'shop')).toMatchObject({
      resourceRules: [{ verbs: ['get', 'list', 'watch'], resources: ['pods'] }],
      incomplete: false,
    })
  })

  it.each([
    ['{', 'policies.jsonl:1: a policy is one JSON object on a line'],
    ['{"user":"alice"}', 'policies.jsonl:1: a policy has apiVersion abac.authorization.kubernetes.io/v1beta1'],
    [policy({ users: 'alice' }), 'policies.jsonl:1: unknown field "spec.users"'],
    [policy({ readonly: 'yes' }), 'policies.jsonl:1: spec.readonly must be true or false'],
  ])('refuses %s', (line, message) => {
    expect(() => abacPolicies(line, 'policies.jsonl')).toThrow(message)
  })
})
