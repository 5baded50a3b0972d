import { expect, it } from 'vitest'
import type { Informers } from '#client/informers/informer.ts'
import { Binding } from '#kinds/core/v1/binding.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { decodeObject } from '../registry/body.ts'
import { podTopologyLabels } from './pod-topology-labels.ts'

const labels = { 'topology.kubernetes.io/zone': 'z1', 'kubernetes.io/hostname': 'n1' }
const informers = () =>
  ({
    of: () => ({ get: (_: string, name: string) => (name === 'n1' ? { metadata: { name, labels } } : undefined) }),
  }) as unknown as Informers

function admitted(object: ApiObject, subresource: string): ApiObject {
  void podTopologyLabels(informers).admit!({
    operation: 'CREATE',
    kind: Pod,
    subresource,
    namespace: 'default',
    name: 'p',
    object: object as Mutable<ApiObject>,
    old: undefined,
    user: { name: 'scheduler', groups: [] },
    dryRun: false,
    warn: () => undefined,
  })
  return object
}

it('a binding brings the zone of its node to the pod, and nothing else of it', () => {
  const binding = (name: string) => decodeObject(Binding, { metadata: { name: 'p', labels: { a: 'b' } }, target: { kind: 'Node', name } })
  expect(admitted(binding('n1'), 'binding').metadata.labels).toEqual({ a: 'b', 'topology.kubernetes.io/zone': 'z1' })
  expect(admitted(binding('gone'), 'binding').metadata.labels).toEqual({ a: 'b' })
})

it('a pod that is made for a node has its zone at once', () => {
  const pod = (spec: object) => decodeObject(Pod, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } })
  expect(admitted(pod({ nodeName: 'n1' }), '').metadata.labels).toEqual({ 'topology.kubernetes.io/zone': 'z1' })
  expect(admitted(pod({}), '').metadata.labels).toBeUndefined()
})
