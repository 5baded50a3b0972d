import { describe, expect, it } from 'vitest'
import { decode } from '#machinery/schema/decode.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateAuthorizationConfiguration } from './authorization-configuration.rules.ts'
import { AuthorizationConfiguration } from './authorization-configuration.ts'
import { matchConditions } from './match-conditions.ts'

function problems(authorizers: readonly object[]): string[] {
  const errors = new FieldErrors()
  const config = decode(AuthorizationConfiguration, { authorizers }, { defaults: true, unknown: [] }) as AuthorizationConfiguration
  validateAuthorizationConfiguration(config, errors)
  return errors.all.map(({ field, detail }) => `${field}: ${detail}`)
}

const good = {
  timeout: '3s',
  authorizedTTL: '5m',
  unauthorizedTTL: '30s',
  subjectAccessReviewVersion: 'v1',
  matchConditionSubjectAccessReviewVersion: 'v1',
  failurePolicy: 'Deny',
  connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: '/etc/webhook.conf' },
  matchConditions: [{ expression: "request.resourceAttributes.namespace == 'a'" }],
}
const webhook = (more: object) => [{ type: 'Webhook', name: 'hook', webhook: { ...good, ...more } }]

describe('an AuthorizationConfiguration', () => {
  it('may name every authorizer once, and webhooks several times', () => {
    expect(
      problems([...webhook({}), { type: 'Node', name: 'node' }, { type: 'RBAC', name: 'rbac' }, { ...webhook({})[0], name: 'two' }]),
    ).toEqual([])
  })

  it.each([
    [[], 'authorizers: at least one authorization mode must be defined'],
    [[{}], 'authorizers[0].type: '],
    [
      [{ type: 'RBCA', name: 'a' }],
      'authorizers[0].type: supported values: "ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"',
    ],
    [
      [
        { type: 'RBAC', name: 'a' },
        { type: 'RBAC', name: 'b' },
      ],
      'authorizers[1].type: ',
    ],
    [[{ type: 'RBAC' }], 'authorizers[0].name: '],
    [[{ type: 'RBAC', name: 'A_b' }], 'authorizers[0].name: authorizer name is invalid'],
    [
      [
        { type: 'RBAC', name: 'a' },
        { type: 'Node', name: 'a' },
      ],
      'authorizers[1].name: ',
    ],
    [[{ type: 'RBAC', name: 'a', webhook: good }], 'authorizers[0].webhook: may only be specified when type=Webhook'],
    [[{ type: 'Webhook', name: 'a' }], 'authorizers[0].webhook: required when type=Webhook'],
    [webhook({ timeout: '' }), 'authorizers[0].timeout: '],
    [webhook({ timeout: '31s' }), 'authorizers[0].timeout: must be > 0s and <= 30s'],
    [webhook({ timeout: 'soon' }), 'authorizers[0].timeout: it is no duration'],
    [webhook({ subjectAccessReviewVersion: 'v2' }), 'authorizers[0].subjectAccessReviewVersion: supported values: "v1", "v1beta1"'],
    [webhook({ failurePolicy: 'Ignore' }), 'authorizers[0].failurePolicy: supported values: "NoOpinion", "Deny"'],
    [webhook({ matchConditionSubjectAccessReviewVersion: '' }), 'required if match conditions are specified'],
    [webhook({ connectionInfo: { type: 'InClusterConfig' } }), 'authorizers[0].connectionInfo.type: the API server cannot ask itself'],
    [
      webhook({ connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: 'x' } }),
      'connectionInfo.kubeConfigFile: must be an absolute path',
    ],
    [webhook({ matchConditions: [{ expression: '' }] }), 'authorizers[0].matchConditions[0].expression: '],
    [webhook({ matchConditions: [{ expression: 'request.user' }] }), 'expression: must evaluate to bool but got string'],
    [webhook({ matchConditions: [{ expression: 'request.users' }] }), 'expression: compilation failed: ERROR: <input>:1:8'],
  ])('%j is refused', (authorizers, problem) => {
    expect(problems(authorizers)).toContainEqual(expect.stringContaining(problem))
  })
})

describe('match conditions', () => {
  const review = (resourceAttributes: object) => ({ user: 'alice', groups: ['devs'], resourceAttributes })

  it('have to hold all, of reviews in which nothing is missing', () => {
    const matches = matchConditions(["request.resourceAttributes.verb == 'get'", "'devs' in request.groups", "request.uid == ''"])
    expect(matches(review({ verb: 'get', resource: 'pods' }) as never)).toBe(true)
    expect(matches(review({ verb: 'list', resource: 'pods' }) as never)).toBe(false)
    expect(matchConditions(["request.resourceAttributes.subresource == ''"])(review({ verb: 'get' }) as never)).toBe(true)
  })

  it('that cannot be evaluated are a failure, unless another one is false', () => {
    const path = { user: 'alice', nonResourceAttributes: { path: '/x', verb: 'get' } }
    const broken = "request.resourceAttributes.verb == 'get'"
    expect(() => matchConditions([broken])(path)).toThrow('a match condition cannot be evaluated')
    expect(matchConditions([broken, "request.user == 'bob'"])(path)).toBe(false)
    expect(matchConditions(['has(request.resourceAttributes)'])(path)).toBe(false)
  })
})
