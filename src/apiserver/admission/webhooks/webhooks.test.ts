import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { MutatingWebhookConfiguration } from '#kinds/admissionregistration/v1/mutating-webhook-configuration.ts'
import { ValidatingWebhookConfiguration } from '#kinds/admissionregistration/v1/validating-webhook-configuration.ts'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { HorizontalPodAutoscaler } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { builtInKinds, subresourceKinds } from '#kinds/kinds.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { StatusError } from '#machinery/status/status-error.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../../api-server.ts'
import { alwaysAllow } from '../../authorization/always.ts'
import type { WebhookAddress, WebhookCallOptions, WebhookClient } from '../../webhooks/webhook-client.ts'
import { mutatingAdmissionWebhook } from './mutating-admission-webhook.ts'
import { validatingAdmissionWebhook } from './validating-admission-webhook.ts'
import { WebhookMetrics } from './webhook-metrics.ts'

/** What webhooks are asked. */
interface Asked {
  readonly name: string
  readonly request: {
    readonly uid: string
    readonly operation: string
    readonly object: Record<string, unknown> | null
    readonly oldObject: Record<string, unknown> | null
    readonly [field: string]: unknown
  }
}

let clock: VirtualClock
let store: MemoryStore
let server: ApiServer
let client: Client
let informers: Informers
let metrics: WebhookMetrics
let asked: Asked[]
let warnings: string[]
let annotations: Record<string, string>
/** How the server proved itself, call by call. */
let proofs: Pick<WebhookCallOptions, 'headers' | 'credential'>[]
/** By the host name in their URL. */
let answers: Record<string, (asked: Asked) => unknown>

/** Answers as the table says; who is not in it cannot be reached. */
const network: WebhookClient = {
  async post({ url = '' }: WebhookAddress, review: object, { headers, credential }: WebhookCallOptions) {
    proofs.push({ ...(headers ? { headers } : {}), credential })
    const name = new URL(url).hostname
    const { request } = review as { request: Asked['request'] }
    const one = { name, request: structuredClone(request) }
    asked.push(one)
    const answer = answers[name]
    if (!answer) throw new Error(`Post "${url}": dial tcp: lookup ${name}: no such host`)
    const response = await answer(one)
    return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid: request.uid, ...(response as object) } }
  },
  [Symbol.dispose]() {},
}

const allow = () => ({ allowed: true })
const patchBy =
  (...operations: object[]) =>
  () => ({ allowed: true, patchType: 'JSONPatch', patch: btoa(JSON.stringify(operations)) })
const label = (key: string, value: string) => ({ op: 'add', path: `/metadata/labels/${key}`, value })

beforeEach(async () => {
  clock = virtualClock(Date.parse('2026-11-20T12:00:00Z'))
  store = new MemoryStore({ clock })
  asked = []
  warnings = []
  annotations = {}
  answers = {}
  metrics = new WebhookMetrics()
  proofs = []
  const known = { authorization: async () => 'Bearer secret', certificate: () => ({ certificate: 'C', privateKey: 'K' }) }
  const users = { users: new Map([['known', known]]), fallback: undefined }
  const asking = { webhooks: network, clock, random: seededRandom(2), log: silentLogger, metrics, users }
  const kinds = () => server.kinds
  server = createApiServer({
    store,
    kinds: [...builtInKinds, ...subresourceKinds],
    clock,
    random: seededRandom(1),
    log: silentLogger,
    authorizer: alwaysAllow,
    admission: [
      mutatingAdmissionWebhook(asking, () => informers, kinds, alwaysAllow),
      validatingAdmissionWebhook(asking, () => informers, kinds, alwaysAllow),
    ],
  })
  const caller = { user: { name: 'ann', uid: 'u1', groups: ['devs'], extra: { scopes: ['a'] } }, userAgent: 'test/1' }
  const warn = (text: string) => void warnings.push(text)
  client = directClient(server.handler, {
    ...caller,
    warn,
    annotate: (key: string, value: string) => void Object.assign(annotations, { [key]: value }),
  } as never)
  informers = newInformers({ client, clock, log: silentLogger })
  await server.ready()
  for (const kind of [Namespace, MutatingWebhookConfiguration, ValidatingWebhookConfiguration]) await informers.of(kind).synced()
})

afterEach(async () => {
  await informers[Symbol.asyncDispose]()
  await server.stop()
  await store.close()
})

const hook = (name: string, more: object = {}) => ({
  name: `${name}.example.com`,
  clientConfig: { url: `https://${name}` },
  admissionReviewVersions: ['v1'],
  sideEffects: 'None' as const,
  rules: [{ operations: ['*' as const], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }],
  ...more,
})

async function mutating(...names: (string | object)[]): Promise<void> {
  const webhooks = names.map(one => (typeof one === 'string' ? hook(one) : one)) as ReturnType<typeof hook>[]
  await client.create(MutatingWebhookConfiguration, { metadata: { name: `m-${webhooks[0]!.name}` }, webhooks })
}

async function validating(...names: (string | object)[]): Promise<void> {
  const webhooks = names.map(one => (typeof one === 'string' ? hook(one) : one)) as ReturnType<typeof hook>[]
  await client.create(ValidatingWebhookConfiguration, { metadata: { name: `v-${webhooks[0]!.name}` }, webhooks })
}

const configMap = (data: Record<string, string> = {}) => ({ metadata: { namespace: 'default', name: 'a', labels: { app: 'x' } }, data })
const write = (data: Record<string, string> = {}) => client.create(ConfigMap, configMap(data))
const failed = (answer: Promise<unknown>): Promise<StatusError> =>
  answer.then(
    () => Promise.reject(new Error('it was allowed')),
    error => error,
  )

describe('a webhook is shown', () => {
  it('who the server is, if the server is told who it is to that webhook', async () => {
    await validating('known')
    await mutating('unknown')
    answers['known'] = allow
    answers['unknown'] = allow
    await write()
    expect(asked.map(({ name }) => name)).toEqual(['unknown', 'known'])
    const credential = { certificate: 'C', privateKey: 'K' }
    expect(proofs).toEqual([{ credential: undefined }, { headers: { authorization: 'Bearer secret' }, credential }])
  })

  it('who does what to which object, in which form', async () => {
    await validating('look')
    answers['look'] = allow
    await client.create(ConfigMap, configMap({ k: 'v' }), { fieldManager: 'me', dryRun: true })
    expect(asked[0]!.request).toMatchObject({
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      name: 'a',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'ann', uid: 'u1', groups: ['devs'], extra: { scopes: ['a'] } },
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', creationTimestamp: '2026-11-20T12:00:00Z' }, data: { k: 'v' } },
      oldObject: null,
      dryRun: true,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'], fieldManager: 'me' },
    })
  })

  it('the old object on an update, and it alone on a delete', async () => {
    const made = await write({ k: 'v' })
    await validating('look')
    answers['look'] = allow
    const next = draft(made)
    next.data = { k: 'w' }
    await client.update(ConfigMap, next)
    expect(asked[0]!.request).toMatchObject({ operation: 'UPDATE', object: { data: { k: 'w' } }, oldObject: { data: { k: 'v' } } })
    await client.delete(ConfigMap, made, { gracePeriodSeconds: 0 })
    expect(asked[1]!.request).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { data: { k: 'w' } },
      options: { kind: 'DeleteOptions', gracePeriodSeconds: 0 },
    })
  })

  it('the version that its rules name, whichever was asked for', async () => {
    const rules = [{ operations: ['CREATE'], apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['horizontalpodautoscalers'] }]
    await mutating(hook('old', { rules }))
    answers['old'] = patchBy({ op: 'replace', path: '/spec/maxReplicas', value: 7 })
    const spec = { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } }
    const made = await client.create(HorizontalPodAutoscaler, { metadata: { namespace: 'default', name: 'h' }, spec })
    expect(asked[0]!.request).toMatchObject({
      kind: { group: 'autoscaling', version: 'v1', kind: 'HorizontalPodAutoscaler' },
      requestKind: { version: 'v2' },
      object: { apiVersion: 'autoscaling/v1' },
    })
    expect(made).toMatchObject({ apiVersion: 'autoscaling/v2', spec: { maxReplicas: 7 } })
  })

  it('a scale where replicas are set', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const spec = { replicas: 1, selector: { matchLabels: { a: 'b' } }, template }
    const made = await client.create(Deployment, { metadata: { namespace: 'default', name: 'd' }, spec })
    await mutating(hook('limit', { rules: [{ operations: ['UPDATE'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/scale'] }] }))
    answers['limit'] = patchBy({ op: 'replace', path: '/spec/replicas', value: 2 })
    const body = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { namespace: 'default', name: 'd' }, spec: { replicas: 9 } }
    const scale = await client.subresource(Deployment, made, { subresource: 'scale', verb: 'update', body })
    expect(asked[0]!.request).toMatchObject({
      kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
      resource: { group: 'apps', resource: 'deployments' },
      subResource: 'scale',
      object: { spec: { replicas: 9 } },
      oldObject: { spec: { replicas: 1 } },
    })
    expect(scale).toMatchObject({ spec: { replicas: 2 } })
  })
})

describe('a mutating webhook', () => {
  it('changes what is stored by a JSON patch', async () => {
    await mutating('edit')
    answers['edit'] = patchBy(label('by', 'edit'), { op: 'replace', path: '/data', value: { k: 'w' } })
    expect(await write({ k: 'v' })).toMatchObject({ metadata: { labels: { app: 'x', by: 'edit' } }, data: { k: 'w' } })
    expect(annotations).toMatchObject({
      'mutation.webhook.admission.k8s.io/round_0_index_0':
        '{"configuration":"m-edit.example.com","webhook":"edit.example.com","mutated":true}',
      'patch.webhook.admission.k8s.io/round_0_index_0': `{"configuration":"m-edit.example.com","webhook":"edit.example.com","patch":${JSON.stringify([label('by', 'edit'), { op: 'replace', path: '/data', value: { k: 'w' } }])},"patchType":"JSONPatch"}`,
    })
  })

  it('sees what those before it did, in the order of names', async () => {
    await mutating('b')
    await mutating('a')
    answers['a'] = patchBy(label('a', '1'))
    answers['b'] = patchBy(label('b', '1'))
    await write()
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(asked[1]!.request.object).toMatchObject({ metadata: { labels: { a: '1' } } })
  })

  it('is asked once more if it wants to see what others changed after it', async () => {
    await mutating(hook('a', { reinvocationPolicy: 'IfNeeded' }), 'b', hook('c', { reinvocationPolicy: 'IfNeeded' }))
    answers['a'] = allow
    answers['b'] = patchBy(label('b', '1'))
    answers['c'] = allow
    await write()
    expect(asked.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'a'])
    expect(asked[3]!.request.object).toMatchObject({ metadata: { labels: { b: '1' } } })
  })

  it('is not asked again if nothing was changed after it, nor a third time', async () => {
    await mutating(hook('a', { reinvocationPolicy: 'IfNeeded' }))
    let count = 0
    answers['a'] = () => patchBy({ op: 'add', path: '/metadata/labels/count', value: String(++count) })()
    await write()
    expect(asked.length).toBe(1)
    await mutating(hook('b', { reinvocationPolicy: 'IfNeeded' }))
    answers['b'] = patchBy(label('b', '1'))
    await client.create(ConfigMap, { metadata: { namespace: 'default', name: 'b', labels: { app: 'x' } } })
    expect(asked.slice(1).map(({ name }) => name)).toEqual(['a', 'b', 'a', 'b'])
  })

  it('whose patch does not apply, or makes no object, fails the request', async () => {
    await mutating('edit')
    answers['edit'] = patchBy({ op: 'replace', path: '/spec/x/y', value: 1 })
    const why = 'replace operation does not apply: doc is missing path: "/spec/x/y": missing value'
    expect(await failed(write())).toMatchObject({ code: 500, reason: 'InternalError', message: `Internal error occurred: ${why}` })
    answers['edit'] = patchBy({ op: 'replace', path: '/data', value: 'text' })
    expect(await failed(write())).toMatchObject({ code: 500, reason: 'InternalError' })
  })

  it('changes nothing where there is nothing to change', async () => {
    const made = await write()
    await mutating('edit')
    answers['edit'] = patchBy(label('by', 'edit'))
    const error = await failed(client.delete(ConfigMap, made))
    expect(error.message).toContain(
      'admission webhook "edit.example.com" attempted to modify the object, which is not supported for this operation',
    )
  })

  it('that damages who owns which field is undone in that, with a warning', async () => {
    await mutating('old')
    const managedFields = (more: object) => [
      { manager: 'm', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {}, ...more },
    ]
    const replace = (more: object) =>
      patchBy({ op: 'replace', path: '/metadata/managedFields', value: managedFields(more) }, label('k', 'v'))
    for (const [more, why] of [
      [{ apiVersion: '' }, 'apiVersion must not be empty'],
      [{ operation: 'Other' }, 'operation must be `Apply` or `Update`'],
      [{ fieldsType: '' }, 'missing fieldsType in managed fields entry 0'],
      [{ fieldsType: 'V2' }, 'invalid fieldsType "V2" in managed fields entry 0'],
    ] as const) {
      warnings = []
      answers['old'] = replace(more)
      const { metadata } = await client.create(ConfigMap, configMap({ k: 'v' }), { fieldManager: 'me', dryRun: true })
      expect(metadata.labels).toEqual({ app: 'x', k: 'v' })
      expect(metadata.managedFields).toMatchObject([{ manager: 'me', fieldsV1: { 'f:data': { 'f:k': {} } } }])
      expect(warnings).toEqual([
        `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${why}`,
      ])
    }
  })

  it('may rewrite who owns which field in entries that can be read', async () => {
    await mutating('new')
    const value = [{ manager: 'm', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }]
    answers['new'] = patchBy({ op: 'replace', path: '/metadata/managedFields', value })
    const { metadata } = await client.create(ConfigMap, configMap({ k: 'v' }), { fieldManager: 'me' })
    expect([metadata.managedFields?.map(({ manager }) => manager), warnings]).toEqual([['m'], []])
  })

  it('cannot slip an invalid object by validation', async () => {
    await mutating('edit')
    answers['edit'] = patchBy({ op: 'replace', path: '/metadata/labels', value: { 'not a label': 'x' } })
    expect(await failed(write())).toMatchObject({ code: 422, reason: 'Invalid' })
  })
})

describe('a validating webhook', () => {
  it.each([
    [{ message: 'too late', code: 409, reason: 'Conflict' }, 409, 'Conflict', 'denied the request: too late'],
    [{ reason: 'Forbidden' }, 400, 'Forbidden', 'denied the request: Forbidden'],
    [{ code: 200, status: 'Success' }, 400, '', 'denied the request without explanation'],
    [undefined, 400, '', 'denied the request without explanation'],
  ])('refuses with its own status %j', async (status, code, reason, message) => {
    await validating('guard')
    answers['guard'] = () => ({ allowed: false, status })
    expect(await failed(write())).toMatchObject({ code, reason, message: `admission webhook "guard.example.com" ${message}` })
  })

  it('sees what the mutating ones made, and may warn and annotate', async () => {
    await validating('guard')
    await mutating('edit')
    answers['edit'] = patchBy(label('by', 'edit'))
    answers['guard'] = () => ({ allowed: true, warnings: ['careful'], auditAnnotations: { why: 'because' } })
    await write()
    expect(asked[1]!.request.object).toMatchObject({ metadata: { labels: { by: 'edit' } } })
    expect(warnings).toEqual(['careful'])
    expect(annotations['guard.example.com/why']).toBe('because')
  })

  it('is asked together with the others, and the first that refuses is told of', async () => {
    await validating('a', 'b', 'c')
    answers['a'] = allow
    answers['b'] = () => ({ allowed: false, status: { message: 'b' } })
    answers['c'] = () => ({ allowed: false, status: { message: 'c' } })
    expect((await failed(write())).message).toBe('admission webhook "b.example.com" denied the request: b')
    expect(asked.length).toBe(3)
  })
})

describe('a webhook that cannot be asked', () => {
  it('fails the request, or is passed over, as it says', async () => {
    await validating(hook('gone', { failurePolicy: 'Ignore' }))
    await write()
    expect(annotations).toMatchObject({ 'failed-open.validating.webhook.admission.k8s.io/round_0_index_0': 'gone.example.com' })
    await mutating(hook('away', { failurePolicy: 'Ignore' }))
    await client.create(ConfigMap, { metadata: { namespace: 'default', name: 'b' } })
    expect(annotations['failed-open.mutation.webhook.admission.k8s.io/round_0_index_0']).toBe('away.example.com')
    await validating('lost')
    const why =
      'failed calling webhook "lost.example.com": failed to call webhook: Post "https://lost": dial tcp: lookup lost: no such host'
    const error = await failed(client.create(ConfigMap, { metadata: { namespace: 'default', name: 'c' } }))
    expect(error).toMatchObject({
      code: 500,
      reason: 'InternalError',
      message: `Internal error occurred: ${why}`,
      details: { causes: [{ message: why }] },
    })
  })

  it.each([
    ['of another request', { uid: 'other', allowed: true }, /^expected response.uid="[0-9a-f-]+", got "other"$/],
    ['with a patch from one that only looks', { allowed: true, patch: 'W10=' }, /^validating webhook may not return response.patch$/],
  ])('includes one that answers %s', async (_, response, why) => {
    await validating('odd')
    answers['odd'] = () => response
    const { message } = await failed(write())
    const start = 'Internal error occurred: failed calling webhook "odd.example.com": received invalid webhook response: '
    expect(message.slice(0, start.length)).toBe(start)
    expect(message.slice(start.length)).toMatch(why)
  })

  it('is counted as one that failed open, or refused', async () => {
    await validating(hook('gone', { failurePolicy: 'Ignore' }), 'guard')
    answers['guard'] = () => ({ allowed: false, status: { code: 403 } })
    await failed(write())
    const text = metrics.text()
    expect(text).toContain('apiserver_admission_webhook_fail_open_count{name="gone.example.com",type="validating"} 1')
    expect(text).toContain(
      'apiserver_admission_webhook_rejection_count{name="guard.example.com",type="validating",operation="CREATE",error_type="no_error",rejection_code="403"} 1',
    )
    expect(text).toContain(
      'apiserver_admission_webhook_request_total{name="guard.example.com",type="validating",operation="CREATE",code="403",rejected="true"} 1',
    )
    expect(text).toContain(
      'apiserver_admission_webhook_admission_duration_seconds_count{name="guard.example.com",type="validating",operation="CREATE",rejected="true"} 1',
    )
  })
})

describe('a webhook is not asked', () => {
  it('about those that configure admission: nobody can lock themselves out', async () => {
    await validating('no')
    answers['no'] = () => ({ allowed: false })
    await mutating('edit')
    await client.delete(ValidatingWebhookConfiguration, { name: 'v-no.example.com' })
    expect(asked).toEqual([])
    await client.delete(MutatingWebhookConfiguration, { name: 'm-edit.example.com' })
    await write()
    expect(asked).toEqual([])
  })

  it('about namespaces and objects that it does not select', async () => {
    await client.create(Namespace, { metadata: { name: 'default', labels: { team: 'a' } } })
    await validating(
      hook('b', { namespaceSelector: { matchLabels: { team: 'b' } } }),
      hook('y', { objectSelector: { matchLabels: { app: 'y' } } }),
    )
    await write()
    expect(asked).toEqual([])
  })
})

describe('match conditions', () => {
  const condition = (expression: string) => ({ matchConditions: [{ name: 'c', expression }] })

  it('keep webhooks from being asked about what they do not hold of', async () => {
    await validating(hook('look', condition("!('skip' in object.data)")))
    await mutating(hook('change', condition("request.userInfo.username == 'bob'")))
    answers['look'] = allow
    await write({ skip: 'x' })
    expect(asked).toEqual([])
    await client.update(ConfigMap, configMap({ look: 'x' }))
    expect(asked.map(({ name }) => name)).toEqual(['look'])
  })

  it('that cannot be evaluated refuse, or let pass, as the failure policy says', async () => {
    await validating(hook('strict', condition("object.data.missing == 'x'")))
    expect(await failed(write({ a: '1' }))).toMatchObject({
      code: 403,
      message: `configmaps "a" is forbidden: expression 'object.data.missing == 'x'' resulted in error: no such key: missing`,
    })
    await client.delete(ValidatingWebhookConfiguration, { name: 'v-strict.example.com' })
    await validating(hook('lenient', { ...condition("object.data.missing == 'x'"), failurePolicy: 'Ignore' }))
    await write({ a: '1' })
    expect(asked).toEqual([])
  })
})
