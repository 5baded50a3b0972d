import { describe, expect, it } from 'vitest'
import { decode } from '#machinery/schema/decode.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import type { Attributes } from '../authorization/authorizer.ts'
import { AuditPolicy, validateAuditPolicy } from './audit-policy.ts'
import { policyEvaluator } from './policy-evaluator.ts'

const policy = (value: object) => decode(AuditPolicy, value, { defaults: true, unknown: [] }) as AuditPolicy

const alice = { name: 'alice', groups: ['devs'] }
function asking(verb: string, path: string, namespace = 'default', user = alice): Attributes {
  const [place, name = ''] = path.split(' ')
  const [group, resource, subresource = ''] = place!.split('/')
  return { user, verb, group: group!, version: 'v1', resource: resource!, subresource, namespace, name }
}

describe('a policy', () => {
  it('records by the first rule that a request falls under, and nothing without one', () => {
    const evaluate = policyEvaluator(
      policy({
        rules: [
          { level: 'None', users: ['system:kube-proxy'], verbs: ['watch'] },
          { level: 'Request', userGroups: ['devs'], resources: [{ group: '', resources: ['pods'] }], namespaces: ['default'] },
          { level: 'Metadata', nonResourceURLs: ['/healthz*', '/version'] },
        ],
      }),
    )
    const level = (attributes: Attributes) => evaluate(attributes).level
    expect(level(asking('watch', '/services', '', { name: 'system:kube-proxy', groups: ['devs'] }))).toBe('None')
    expect(level(asking('get', '/pods p'))).toBe('Request')
    expect(level(asking('get', '/pods p', 'other'))).toBe('None')
    expect(level(asking('get', '/pods p', 'default', { name: 'bob', groups: [] }))).toBe('None')
    expect(level({ user: alice, verb: 'get', path: '/healthz/etcd' })).toBe('Metadata')
    expect(level({ user: alice, verb: 'get', path: '/metrics' })).toBe('None')
  })

  it.each([
    ['pods', '/pods', true],
    ['pods', '/pods/log', false],
    ['pods/log', '/pods/log', true],
    ['pods/*', '/pods/log', true],
    ['pods/*', '/pods', true],
    ['*/scale', 'apps/deployments/scale', false],
    ['*', '/pods/log', true],
  ])('with the resource %s is about %s: %s', (listed, asked, isAbout) => {
    const evaluate = policyEvaluator(policy({ rules: [{ level: 'Metadata', resources: [{ group: '', resources: [listed] }] }] }))
    expect(evaluate(asking('get', asked)).level).toBe(isAbout ? 'Metadata' : 'None')
  })

  it('of all of a group, or of single names in it', () => {
    const all = policyEvaluator(policy({ rules: [{ level: 'Metadata', resources: [{ group: 'apps' }] }] }))
    expect(all(asking('get', 'apps/deployments/scale d')).level).toBe('Metadata')
    const named = { level: 'Metadata', resources: [{ group: '', resources: ['pods'], resourceNames: ['p'] }] }
    const one = policyEvaluator(policy({ rules: [named] }))
    expect(one(asking('get', '/pods p')).level).toBe('Metadata')
    expect(one(asking('get', '/pods q')).level).toBe('None')
  })

  it('leaves out stages and managedFields by rule and altogether', () => {
    const evaluate = policyEvaluator(
      policy({
        omitStages: ['RequestReceived'],
        omitManagedFields: true,
        rules: [{ level: 'Metadata', verbs: ['get'], omitStages: ['ResponseStarted'], omitManagedFields: false }, { level: 'Metadata' }],
      }),
    )
    expect(evaluate(asking('get', '/pods'))).toMatchObject({ omitManagedFields: false })
    expect([...evaluate(asking('get', '/pods')).omitStages]).toEqual(['RequestReceived', 'ResponseStarted'])
    expect(evaluate(asking('list', '/pods'))).toMatchObject({ omitManagedFields: true })
  })

  it.each([['/secrets s'], ['/configmaps c'], ['authentication.k8s.io/tokenreviews'], ['/serviceaccounts/token a']])(
    'records bodies of %s only where a rule names it',
    asked => {
      const everything = policyEvaluator(policy({ rules: [{ level: 'RequestResponse' }] }))
      expect(everything(asking('create', asked)).level).toBe('Metadata')
      const star = policyEvaluator(policy({ rules: [{ level: 'RequestResponse', resources: [{ group: '', resources: ['*'] }] }] }))
      expect(['Metadata', 'None']).toContain(star(asking('create', asked)).level)
      const [group, resource, subresource] = asked.split(' ')[0]!.split('/')
      const resources = [{ group, resources: [subresource ? `${resource}/${subresource}` : resource] }]
      const naming = policyEvaluator(policy({ rules: [{ level: 'RequestResponse', resources }] }))
      expect(naming(asking('create', asked)).level).toBe('RequestResponse')
    },
  )

  it('that cannot be meant is refused field by field', () => {
    const errors = new FieldErrors()
    validateAuditPolicy(
      policy({
        omitStages: ['Later'],
        rules: [
          {},
          { level: 'Everything' },
          { level: 'None', nonResourceURLs: ['metrics', '/a*b'], namespaces: ['x'] },
          { level: 'None', resources: [{ group: 'apps/v1', resourceNames: ['x'] }] },
        ],
      }),
      errors,
    )
    expect(errors.all.map(({ field }) => field)).toEqual([
      'omitStages[0]',
      'rules[0].level',
      'rules[1].level',
      'rules[2].nonResourceURLs[0]',
      'rules[2].nonResourceURLs[1]',
      'rules[2].nonResourceURLs',
      'rules[3].resources[0].group',
      'rules[3].resources[0].resourceNames',
    ])
    const none = new FieldErrors()
    validateAuditPolicy(policy({}), none)
    expect(none.all[0]!.field).toBe('rules')
  })
})
