import { beforeEach, describe, expect, it } from 'vitest'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import type { AdmissionRequest } from './admission.ts'
import { namespaceAutoProvision, namespaceExists } from './namespace-existence.ts'
import { podNodeSelector } from './pod-node-selector.ts'
import { podTolerationRestriction } from './pod-toleration-restriction.ts'

let annotations: Record<string, string>
let made: string[]
const informers = () =>
  ({
    of: () => ({ get: (_: string, name: string) => (name === 'shop' ? { metadata: { name, annotations } } : undefined) }),
  }) as unknown as Informers
const client = () =>
  ({ create: async (_: unknown, { metadata }: { metadata: { name: string } }) => made.push(metadata.name) }) as unknown as Client

beforeEach(() => {
  annotations = {}
  made = []
})

function write(kind: AnyKind, more: object = {}): AdmissionRequest {
  const namespace = kind.scope === 'Namespaced' ? 'shop' : ''
  const object = { metadata: { name: 'x', namespace }, spec: {} }
  return {
    operation: 'CREATE',
    kind,
    subresource: '',
    namespace,
    name: 'x',
    object,
    old: undefined,
    dryRun: false,
    ...more,
  } as unknown as AdmissionRequest
}
const pod = (spec: object) => write(Pod, { object: { metadata: { name: 'x' }, spec } })
const specOf = ({ object }: AdmissionRequest) => (object as unknown as Pod).spec

describe('NamespaceAutoProvision', () => {
  it('makes the namespace of what is created in it, unless it is but tried', async () => {
    const plugin = namespaceAutoProvision(informers, client)
    await plugin.admit!(write(ConfigMap))
    await plugin.admit!(write(Node))
    await plugin.admit!(write(ConfigMap, { namespace: 'new', dryRun: true }))
    await plugin.admit!(write(ConfigMap, { namespace: 'new', operation: 'UPDATE' }))
    expect(made).toEqual([])
    await plugin.admit!(write(ConfigMap, { namespace: 'new' }))
    expect(made).toEqual(['new'])
  })
})

it('NamespaceExists refuses what is about a namespace that is not there', () => {
  const plugin = namespaceExists(informers)
  void plugin.validate!(write(ConfigMap))
  void plugin.validate!(write(Node))
  expect(() => plugin.validate!(write(ConfigMap, { namespace: 'gone', operation: 'DELETE' }))).toThrow('namespaces "gone" not found')
})

describe('PodNodeSelector', () => {
  it('adds the node selector of the namespace, and refuses another', () => {
    annotations['scheduler.alpha.kubernetes.io/node-selector'] = 'env=prod,zone=a'
    const plugin = podNodeSelector(informers)
    const asked = pod({ nodeSelector: { disk: 'ssd' } })
    void plugin.admit!(asked)
    expect(specOf(asked).nodeSelector).toEqual({ disk: 'ssd', env: 'prod', zone: 'a' })
    expect(() => plugin.admit!(pod({ nodeSelector: { env: 'test' } }))).toThrow(
      'pods "x" is forbidden: pod node label selector conflicts with its namespace node label selector',
    )
  })

  it('leaves pods alone where the namespace says nothing', () => {
    const asked = pod({})
    void podNodeSelector(informers).admit!(asked)
    expect(specOf(asked)).toEqual({})
  })
})

describe('PodTolerationRestriction', () => {
  const spot = { key: 'spot', operator: 'Exists' }

  it('adds the tolerations of the namespace that a pod does not have', () => {
    annotations['scheduler.alpha.kubernetes.io/defaultTolerations'] = JSON.stringify([
      { ...spot, effect: 'NoSchedule' },
      { key: 'a', value: 'b' },
    ])
    const asked = pod({ tolerations: [spot] })
    void podTolerationRestriction(informers).admit!(asked)
    expect(specOf(asked).tolerations).toEqual([spot, { key: 'a', value: 'b' }])
  })

  it('refuses those that the namespace does not list', () => {
    annotations['scheduler.alpha.kubernetes.io/tolerationsWhitelist'] = JSON.stringify([spot])
    const plugin = podTolerationRestriction(informers)
    void plugin.validate!(pod({ tolerations: [{ key: 'spot', operator: 'Equal', value: 'yes', effect: 'NoExecute' }] }))
    expect(() => plugin.validate!(pod({ tolerations: [{ operator: 'Exists' }] }))).toThrow('conflict with its namespace whitelist')
    annotations['scheduler.alpha.kubernetes.io/tolerationsWhitelist'] = '{'
    expect(() => plugin.validate!(pod({}))).toThrow('is no JSON')
  })
})

describe('a namespace that does not say', () => {
  it('goes by the node selector of the cluster, and its pods ask for no other labels than the configuration lists', async () => {
    const podNodeSelectorPluginConfig = { clusterDefaultNodeSelector: 'env=dev', shop: 'env=dev,disk=ssd' }
    const plugin = podNodeSelector(informers, { podNodeSelectorPluginConfig })
    const request = pod({ nodeSelector: { disk: 'ssd' } })
    await plugin.admit!(request)
    expect(specOf(request).nodeSelector).toEqual({ disk: 'ssd', env: 'dev' })
    await plugin.validate!(request)
    expect(() => plugin.validate!(pod({ nodeSelector: { other: 'x' } }))).toThrow(
      'pods "x" is forbidden: pod node label selector labels conflict with its namespace whitelist',
    )
  })

  it('goes by the tolerations of the cluster, and one that says nothing on purpose does not', async () => {
    const one = { key: 'a', operator: 'Exists' as const }
    const plugin = podTolerationRestriction(informers, { default: [one], whitelist: [one] })
    const request = pod({})
    await plugin.admit!(request)
    expect(specOf(request).tolerations).toEqual([one])
    expect(() => plugin.validate!(pod({ tolerations: [{ key: 'b', operator: 'Exists' }] }))).toThrow('namespace whitelist')
    annotations = { 'scheduler.alpha.kubernetes.io/defaultTolerations': '', 'scheduler.alpha.kubernetes.io/tolerationsWhitelist': '' }
    const free = pod({ tolerations: [{ key: 'b', operator: 'Exists' }] })
    await plugin.admit!(free)
    await plugin.validate!(free)
    expect(specOf(free).tolerations).toHaveLength(1)
  })
})
