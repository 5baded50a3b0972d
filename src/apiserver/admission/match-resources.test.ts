import { describe, expect, it } from 'vitest'
import type { Informers } from '#client/informers/informer.ts'
import { HorizontalPodAutoscaler } from '#kinds/autoscaling/v2/horizontal-pod-autoscaler.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import type { AdmissionRequest } from './admission.ts'
import { isAdmissionConfiguration, type MatchCriteria, type MatchRule, matchedKind } from './match-resources.ts'

const kinds = kindRegistry(builtInKinds)
const namespaces = new Map([['shop', { metadata: { name: 'shop', labels: { team: 'a' } } }]])
const informers = { of: () => ({ get: (_: string, name: string) => namespaces.get(name) }) } as unknown as Informers
const facts = { kinds, informers }

const rule = (more: Partial<MatchRule> = {}): MatchRule => ({
  operations: ['CREATE'],
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['pods'],
  scope: '*',
  ...more,
})

function request(kind: AnyKind, more: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const object = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name: 'x', labels: { app: 'web' } } } as ApiObject
  const namespace = kind.scope === 'Namespaced' ? 'shop' : ''
  const of = { operation: 'CREATE', kind, subresource: '', namespace, name: 'x', object, old: undefined } as const
  return { ...of, user: { name: 'u', groups: [] }, dryRun: false, warn() {}, ...more } as AdmissionRequest
}

const matches = (asked: AdmissionRequest, criteria: Partial<MatchCriteria>) =>
  matchedKind(asked, { rules: [rule()], ...criteria }, facts) !== undefined

describe('a rule', () => {
  it.each<[string, Partial<MatchRule>, Partial<AdmissionRequest>, boolean]>([
    ['names operation, group, version and resource', {}, {}, true],
    ['of another operation', { operations: ['DELETE'] }, {}, false],
    ['of every operation', { operations: ['*'] }, { operation: 'CONNECT' }, true],
    ['of another group', { apiGroups: ['apps'] }, {}, false],
    ['of every group and version', { apiGroups: ['*'], apiVersions: ['*'] }, {}, true],
    ['of another resource', { resources: ['services'] }, {}, false],
    ['of a resource is not about its subresources', {}, { subresource: 'status' }, false],
    ['of a subresource', { resources: ['pods/status'] }, { subresource: 'status' }, true],
    ['of all subresources means the resource as well', { resources: ['pods/*'] }, { subresource: '' }, true],
    ['of a subresource of everything', { resources: ['*/status'] }, { subresource: 'status' }, true],
    ['of all resources is not about subresources', { resources: ['*'] }, { subresource: 'status' }, false],
    ['of everything', { resources: ['*/*'] }, { subresource: 'status' }, true],
    ['of namespaced objects', { scope: 'Namespaced' }, {}, true],
    ['of objects of the cluster', { scope: 'Cluster' }, {}, false],
    ['of single names', { resourceNames: ['x'] }, {}, true],
    ['of other names', { resourceNames: ['y'] }, {}, false],
  ])('%s', (_, own, asked, expected) => {
    expect(matches(request(Pod, asked), { rules: [rule(own)] })).toBe(expected)
  })

  it('takes a namespace for an object of the cluster, although it has a namespace: itself', () => {
    const asked = request(Namespace, { namespace: 'shop', name: 'shop' })
    expect(matches(asked, { rules: [rule({ resources: ['namespaces'], scope: 'Cluster' })] })).toBe(true)
    expect(matches(asked, { rules: [rule({ resources: ['namespaces'], scope: 'Namespaced' })] })).toBe(false)
  })
})

describe('criteria', () => {
  it('speak of another version of the same objects, unless they insist on theirs', () => {
    const ofV1 = [rule({ apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers'] })]
    const asked = request(HorizontalPodAutoscaler)
    expect(matchedKind(asked, { rules: ofV1 }, facts)?.version).toBe('v1')
    expect(matchedKind(asked, { rules: ofV1, matchPolicy: 'Exact' }, facts)).toBeUndefined()
  })

  it('select objects by the labels of the old or the new one', () => {
    const asked = request(Pod, { operation: 'UPDATE', old: { ...request(Pod).object!, metadata: { name: 'x', labels: { app: 'old' } } } })
    const rules = [rule({ operations: ['UPDATE'] })]
    for (const app of ['web', 'old']) expect(matches(asked, { rules, objectSelector: { matchLabels: { app } } })).toBe(true)
    expect(matches(asked, { rules, objectSelector: { matchLabels: { app: 'none' } } })).toBe(false)
  })

  it('select namespaces by their labels; objects of the cluster are in none and always selected', () => {
    const of = (team: string) => ({ namespaceSelector: { matchLabels: { team } } })
    expect(matches(request(Pod), of('a'))).toBe(true)
    expect(matches(request(Pod), of('b'))).toBe(false)
    expect(matches(request(Pod, { namespace: '' }), of('b'))).toBe(true)
  })

  it('look at the labels that a namespace is about to have', () => {
    const rules = [rule({ resources: ['namespaces'] })]
    const asked = request(Namespace, { namespace: 'new', name: 'new' })
    expect(matches(asked, { rules, namespaceSelector: { matchLabels: { app: 'web' } } })).toBe(true)
  })

  it('fail where the namespace is not there, but only for those that are meant', () => {
    const asked = request(Pod, { namespace: 'gone' })
    const namespaceSelector = { matchLabels: { team: 'a' } }
    expect(() => matches(asked, { namespaceSelector })).toThrow('namespaces "gone" not found')
    expect(matches(asked, { namespaceSelector, rules: [rule({ resources: ['services'] })] })).toBe(false)
  })

  it('without rules speak of everything, and of nothing that is excluded', () => {
    expect(matches(request(Pod), { rules: undefined })).toBe(true)
    expect(matches(request(Pod), { rules: undefined, excludedRules: [rule()] })).toBe(false)
  })
})

it('objects that configure admission are known', () => {
  const kind = kinds.byKind('admissionregistration.k8s.io', 'v1', 'ValidatingWebhookConfiguration')!
  expect(isAdmissionConfiguration(request(kind))).toBe(true)
  expect(isAdmissionConfiguration(request(Pod))).toBe(false)
})
