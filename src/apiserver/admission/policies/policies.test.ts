import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { MutatingAdmissionPolicy } from '#kinds/admissionregistration/v1/mutating-admission-policy.ts'
import { MutatingAdmissionPolicyBinding } from '#kinds/admissionregistration/v1/mutating-admission-policy-binding.ts'
import { ValidatingAdmissionPolicy } from '#kinds/admissionregistration/v1/validating-admission-policy.ts'
import { ValidatingAdmissionPolicyBinding } from '#kinds/admissionregistration/v1/validating-admission-policy-binding.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { builtInKinds, subresourceKinds } from '#kinds/kinds.ts'
import type { StatusError } from '#machinery/status/status-error.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../../api-server.ts'
import { alwaysAllow } from '../../authorization/always.ts'
import type { Attributes, Authorizer } from '../../authorization/authorizer.ts'
import { mutatingAdmissionPolicy } from './mutating-admission-policy.ts'
import { PolicyMetrics } from './policy-metrics.ts'
import { validatingAdmissionPolicy } from './validating-admission-policy.ts'

let store: MemoryStore
let server: ApiServer
let client: Client
let informers: Informers
let warnings: string[]
let annotations: Record<string, string>
/** What the policies' authorizer is asked; it answers late. */
let questions: Attributes[]
let metrics: PolicyMetrics

const authorizer: Authorizer = {
  name: 'late',
  async authorize(attributes) {
    questions.push(attributes)
    return { verdict: attributes.verb === 'get' ? 'allow' : 'no opinion', reason: 'because' }
  },
}

beforeEach(async () => {
  const clock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
  store = new MemoryStore({ clock })
  warnings = []
  annotations = {}
  questions = []
  metrics = new PolicyMetrics()
  const counting = { metrics, monotonic: () => clock.monotonic() }
  const context = { informers: () => informers, kinds: () => server.kinds, client: () => client, authorizer, counting }
  server = createApiServer({
    store,
    kinds: [...builtInKinds, ...subresourceKinds],
    clock,
    random: seededRandom(1),
    log: silentLogger,
    authorizer: alwaysAllow,
    admission: [mutatingAdmissionPolicy(context), validatingAdmissionPolicy(context)],
  })
  client = directClient(server.handler, {
    user: { name: 'ann', groups: ['devs'] },
    userAgent: 'test/1',
    warn: (text: string) => void warnings.push(text),
    annotate: (key: string, value: string) => void Object.assign(annotations, { [key]: value }),
  } as never)
  informers = newInformers({ client, clock, log: silentLogger })
  await server.ready()
  await client.create(Namespace, { metadata: { name: 'default' } })
  const cached = [
    Namespace,
    MutatingAdmissionPolicy,
    MutatingAdmissionPolicyBinding,
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
  ]
  for (const kind of cached) await informers.of(kind).synced()
})

afterEach(async () => {
  await informers[Symbol.asyncDispose]()
  await server.stop()
  await store.close()
})

const constraints = (operations: string[] = ['CREATE', 'UPDATE']) => ({
  resourceRules: [
    { operations: operations as ['CREATE'], apiGroups: ['', 'apps'], apiVersions: ['v1'], resources: ['configmaps', 'deployments'] },
  ],
})

async function validating(spec: object, binding: object = { validationActions: ['Deny'] }): Promise<void> {
  await client.create(ValidatingAdmissionPolicy, { metadata: { name: 'p' }, spec: { matchConstraints: constraints(), ...spec } } as never)
  await client.create(ValidatingAdmissionPolicyBinding, { metadata: { name: 'b' }, spec: { policyName: 'p', ...binding } } as never)
}

async function mutating(spec: object, name = 'm'): Promise<void> {
  await client.create(MutatingAdmissionPolicy, {
    metadata: { name },
    spec: { matchConstraints: constraints(), reinvocationPolicy: 'Never', ...spec },
  } as never)
  await client.create(MutatingAdmissionPolicyBinding, { metadata: { name }, spec: { policyName: name } } as never)
}

const apply = (expression: string) => ({ patchType: 'ApplyConfiguration', applyConfiguration: { expression } })
const patch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } })
const write = (data: Record<string, string> = {}, name = 'a') =>
  client.create(ConfigMap, { metadata: { namespace: 'default', name }, data })
const failed = (answer: Promise<unknown>): Promise<StatusError> =>
  answer.then(
    () => Promise.reject(new Error('it was allowed')),
    error => error,
  )

describe('a validating policy', () => {
  it('refuses what its expressions do not hold for, with its message and reason', async () => {
    await validating({ validations: [{ expression: "!('bad' in object.data)", message: 'no bad keys', reason: 'Forbidden' }] })
    const error = await failed(write({ bad: 'x' }))
    const why = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no bad keys"
    expect(error).toMatchObject({
      code: 403,
      reason: 'Forbidden',
      message: `configmaps "a" is forbidden: ${why}`,
      details: { causes: [{ message: why }] },
    })
    await write({ good: 'x' })
  })

  it('names what is not named yet by its prefix', async () => {
    await validating({ validations: [{ expression: 'false' }] })
    const error = await failed(client.create(ConfigMap, { metadata: { namespace: 'default', generateName: 'web-' } }))
    expect(error.message).toMatch(/^configmaps "web-[a-z0-9]*" is forbidden/)
  })

  it('tells by its message expression, or by its message where that fails', async () => {
    await validating({
      validations: [
        { expression: "!('a' in object.data)", messageExpression: "'a is ' + object.data.a" },
        { expression: "!('b' in object.data)", messageExpression: "'b: ' + object.data.missing", message: 'b is there' },
        { expression: "!('c' in object.data)", messageExpression: "'two\\nlines'" },
      ],
    })
    expect((await failed(write({ a: '1' }))).message).toContain('denied request: a is 1')
    expect((await failed(write({ b: '1' }))).message).toContain('denied request: b is there')
    expect((await failed(write({ c: '1' }))).message).toContain("denied request: failed expression: !('c' in object.data)")
  })

  it('lets the failure policy decide on errors', async () => {
    await validating({ validations: [{ expression: "object.data.missing == 'x'" }], failurePolicy: 'Ignore' })
    await write({ a: '1' })
    const policy = await client.get(ValidatingAdmissionPolicy, { name: 'p' })
    await client.update(ValidatingAdmissionPolicy, { ...policy, spec: { ...policy.spec, failurePolicy: 'Fail' } })
    expect((await failed(write({ a: '1' }, 'b'))).message).toContain(
      "denied request: expression 'object.data.missing == 'x'' resulted in error: no such key: missing",
    )
  })

  it('stops at a budget that no expression can get around', async () => {
    const deep = '[1,2,3,4,5,6,7,8,9,10].all(X, BODY)'
    const expression = ['a', 'b', 'c', 'd', 'e', 'f'].reduce((body, name) => deep.replace('X', name).replace('BODY', body), 'true')
    await validating({ validations: [{ expression: `${expression} || true` }] })
    expect((await failed(write())).message).toContain('operation cancelled: actual cost limit exceeded')
  })

  it('evaluates variables in terms of others, and only those that are used', async () => {
    await validating({
      variables: [
        { name: 'keys', expression: 'object.data.map(k, k)' },
        { name: 'count', expression: 'variables.keys.size()' },
        { name: 'broken', expression: "object.data['missing']" },
      ],
      validations: [{ expression: 'variables.count < 2', messageExpression: "'too many: ' + string(variables.count)" }],
    })
    await write({ a: '1' })
    expect((await failed(write({ a: '1', b: '2' }, 'b'))).message).toContain('too many: 2')
  })

  it('passes over requests for which its conditions do not hold', async () => {
    await validating({
      matchConditions: [{ name: 'c', expression: "request.userInfo.username != 'ann'" }],
      validations: [{ expression: 'false' }],
    })
    await write()
  })

  it('sees the request, the old object and the namespace', async () => {
    await client.create(Namespace, { metadata: { name: 'team', labels: { tier: 'gold' } } })
    await validating({
      matchConstraints: constraints(['UPDATE', 'DELETE']),
      validations: [
        { expression: "request.operation == 'DELETE' || int(object.data.v) >= int(oldObject.data.v)", message: 'went down' },
        { expression: "request.operation == 'DELETE' || namespaceObject.metadata.labels.tier == 'gold'", message: 'not gold' },
        { expression: "request.operation != 'DELETE' || (object == null && oldObject.data.v != '7')", message: 'kept' },
        { expression: "request.resource.resource == 'configmaps' && 'devs' in request.userInfo.groups", message: 'who' },
      ],
    })
    const at = { namespace: 'team', name: 'a' }
    await client.create(ConfigMap, { metadata: at, data: { v: '5' } })
    await client.update(ConfigMap, { metadata: at, data: { v: '6' } })
    expect((await failed(client.update(ConfigMap, { metadata: at, data: { v: '5' } }))).message).toContain('went down')
    await client.update(ConfigMap, { metadata: at, data: { v: '7' } })
    expect((await failed(client.delete(ConfigMap, at))).message).toContain('kept')
  })

  it('asks the authorizer, each question once, and waits for its answers', async () => {
    const check = (verb: string) => `authorizer.group('').resource('pods').namespace('default').check('${verb}').allowed()`
    await validating({
      validations: [
        { expression: `${check('get')} && ${check('get')}` },
        { expression: "authorizer.requestResource.check('get').allowed()" },
        { expression: `!${check('delete')}` },
      ],
    })
    await write()
    expect(questions).toHaveLength(3)
    expect(questions[1]).toMatchObject({ verb: 'get', resource: 'configmaps', namespace: 'default', name: 'a', user: { name: 'ann' } })
  })

  it('warns and notes where its binding wants that', async () => {
    await validating({ validations: [{ expression: 'false', message: 'careful' }] }, { validationActions: ['Warn', 'Audit'] })
    await write()
    expect(warnings).toEqual(["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': careful"])
    expect(JSON.parse(annotations['validation.policy.admission.k8s.io/validation_failure']!)).toEqual([
      { message: 'careful', policy: 'p', binding: 'b', expressionIndex: 0, validationActions: ['Warn', 'Audit'] },
    ])
  })

  it('is counted by what came of it, and not where it simply holds', async () => {
    const action = (text: string) =>
      /enforcement_action="(\w+)",error_type="(\w+)",policy="p",policy_binding="b"} (\d+)/.exec(text)?.slice(1)
    const counted = () =>
      metrics
        .text()
        .split('\n')
        .filter(line => line.startsWith('apiserver_validating_admission_policy_check_total{'))
        .map(action)
    await validating(
      { validations: [{ expression: "!('bad' in object.data)" }, { expression: "object.data.sum == '1'" }] },
      { validationActions: ['Warn', 'Audit'] },
    )
    await write({ sum: '1' })
    expect(counted()).toEqual([])
    await write({ sum: '1', bad: 'x' }, 'b')
    await write({ sum: '2', bad: 'x' }, 'c')
    await write({ bad: 'x' }, 'd')
    expect(counted()).toEqual([
      ['warn', 'no_error', '4'],
      ['audit', 'no_error', '4'],
      ['warn', 'invalid_error', '1'],
      ['audit', 'invalid_error', '1'],
    ])
    expect(metrics.text()).toContain('apiserver_validating_admission_policy_check_duration_seconds_count{')
  })

  it('is counted as allowed where its errors are passed over', async () => {
    await validating({ failurePolicy: 'Ignore', validations: [{ expression: "object.data.missing == 'x'" }] })
    await write({ a: 'x' })
    expect(metrics.text()).toContain('{enforcement_action="allow",error_type="invalid_error",policy="p",policy_binding="b"} 1')
  })

  it('notes the values of audit annotations', async () => {
    await validating({
      auditAnnotations: [
        { key: 'keys', valueExpression: "'keys: ' + string(object.data.size())" },
        { key: 'none', valueExpression: 'null' },
      ],
    })
    await write({ a: '1' })
    expect(annotations).toMatchObject({ 'p/keys': 'keys: 1' })
    expect(annotations).not.toHaveProperty('p/none')
  })

  it('takes parameters by name and by labels, and refuses or allows where there are none', async () => {
    for (const name of ['x', 'y'])
      await client.create(ConfigMap, { metadata: { namespace: 'default', name, labels: { p: '1' } }, data: { forbidden: name } })
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [
        { expression: '!(params.data.forbidden in object.data)', messageExpression: "params.data.forbidden + ' is forbidden'" },
      ],
    }
    const deny = { validationActions: ['Deny'] }
    await validating(spec, { ...deny, paramRef: { selector: { matchLabels: { p: '1' } }, parameterNotFoundAction: 'Deny' } })
    expect((await failed(write({ y: '1' }))).message).toContain('y is forbidden')
    const bind = async (paramRef: object) => {
      const binding = await client.get(ValidatingAdmissionPolicyBinding, { name: 'b' })
      await client.update(ValidatingAdmissionPolicyBinding, { ...binding, spec: { ...binding.spec, paramRef } } as never)
    }
    await bind({ name: 'x', parameterNotFoundAction: 'Deny' })
    await write({ y: '1' }, 'b')
    await bind({ name: 'gone', parameterNotFoundAction: 'Deny' })
    expect((await failed(write({}, 'c'))).message).toContain(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    )
    await bind({ name: 'gone', parameterNotFoundAction: 'Allow' })
    await write({ x: '1' }, 'd')
  })

  it('is not asked about the policies themselves', async () => {
    await validating({
      matchConstraints: { resourceRules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }] },
      validations: [{ expression: 'false' }],
    })
    await client.delete(ValidatingAdmissionPolicyBinding, { name: 'b' })
    await write()
  })
})

describe('a mutating policy', () => {
  it('puts what its apply configurations say over the object, each over what the one before made', async () => {
    await mutating({
      variables: [{ name: 'v', expression: "'x-' + object.metadata.name" }],
      mutations: [
        apply("Object{metadata: Object.metadata{labels: {'first': variables.v}}}"),
        apply("Object{metadata: Object.metadata{labels: {'second': object.metadata.labels.first}}}"),
      ],
    })
    expect((await write()).metadata.labels).toEqual({ first: 'x-a', second: 'x-a' })
  })

  it('merges lists by their keys', async () => {
    await mutating({
      mutations: [
        apply(`Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{
          containers: object.spec.template.spec.containers.map(c, Object.spec.template.spec.containers{name: c.name, imagePullPolicy: 'Always'})
        }}}}`),
      ],
    })
    const labels = { app: 'x' }
    const { spec } = await client.create(Deployment, {
      metadata: { namespace: 'default', name: 'd' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'img:1' }] } },
      },
    } as never)
    expect(spec.template.spec.containers[0]).toMatchObject({ name: 'c', image: 'img:1', imagePullPolicy: 'Always' })
  })

  it('applies JSON patches, and passes over those whose test fails', async () => {
    await mutating({
      mutations: [
        patch("[JSONPatch{op: 'add', path: '/metadata/annotations/' + jsonpatch.escapeKey('a/b'), value: 'x'}]"),
        patch("[JSONPatch{op: 'test', path: '/data/k', value: 'other'}, JSONPatch{op: 'remove', path: '/data/k'}]"),
      ],
    })
    const metadata = { namespace: 'default', name: 'a', annotations: { kept: 'y' } }
    const made = await client.create(ConfigMap, { metadata, data: { k: 'v' } })
    expect(made).toMatchObject({ metadata: { annotations: { kept: 'y', 'a/b': 'x' } }, data: { k: 'v' } })
  })

  it('refuses a mutation that cannot be made', async () => {
    await mutating({ mutations: [patch("[JSONPatch{op: 'remove', path: '/data/missing'}]")] })
    expect(await failed(write({ k: 'v' }))).toMatchObject({ code: 403, reason: 'Invalid' })
  })

  it('refuses objects whose type does not say where they stand', async () => {
    await mutating({ mutations: [apply("Object{metadata: Object.wrong{labels: {'a': 'b'}}}")] })
    expect((await failed(write())).message).toContain('unexpected type name "Object.wrong", expected "Object.metadata"')
  })

  it('looks again where a later policy changed the object', async () => {
    await mutating(
      {
        reinvocationPolicy: 'IfNeeded',
        mutations: [
          apply("Object{metadata: Object.metadata{labels: {'saw': has(object.data) && has(object.data.late) ? 'late' : 'early'}}}"),
        ],
      },
      'first',
    )
    await mutating({ mutations: [apply("Object{data: {'late': 'x'}}")] }, 'second')
    expect((await write()).metadata.labels).toEqual({ saw: 'late' })
  })
})

describe('validation of policies', () => {
  const create = (spec: object) =>
    client.create(ValidatingAdmissionPolicy, { metadata: { name: 'x' }, spec: { matchConstraints: constraints(), ...spec } } as never)

  it('compiles every expression, in the words of cel-go', async () => {
    const error = await failed(
      create({
        variables: [
          { name: 'for', expression: '1' },
          { name: 'v', expression: 'variables.w' },
        ],
        validations: [{ expression: 'object.' }, { expression: '1 + 1' }, { expression: 'true', messageExpression: '1' }],
        matchConditions: [{ name: 'c', expression: 'params.x' }],
      }),
    )
    const causes = error.details!.causes!.map(({ field, message }) => `${field}: ${message}`)
    expect(causes).toEqual([
      'spec.variables[0].name: Invalid value: "for": must be a valid CEL identifier',
      expect.stringContaining(
        'spec.variables[1].expression: Invalid value: "variables.w": compilation failed: ERROR: <input>:1:10: undefined field \'w\'',
      ),
      expect.stringContaining(
        'spec.validations[0].expression: Invalid value: "object.": compilation failed: ERROR: <input>:1:8: Syntax error: no viable alternative at input \'.\'',
      ),
      'spec.validations[1].expression: Invalid value: "1 + 1": must evaluate to bool but got int',
      'spec.validations[2].messageExpression: Invalid value: "1": must evaluate to string but got int',
      expect.stringContaining(
        'spec.matchConditions[0].expression: Invalid value: "params.x": compilation failed: ERROR: <input>:1:1: undeclared reference to \'params\'',
      ),
    ])
  })
})
