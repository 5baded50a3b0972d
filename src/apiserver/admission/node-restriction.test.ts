import { describe, expect, it } from 'vitest'
import type { Informers } from '#client/informers/informer.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { alwaysDeny } from '../authorization/always.ts'
import { decodeObject } from '../registry/body.ts'
import type { AdmissionRequest } from './admission.ts'
import { forbiddenLabels } from './node-labels.ts'
import { nodeRestriction } from './node-restriction.ts'

const node = decodeObject(Node, { metadata: { name: 'n1', uid: 'u1' } })
const informers = () => ({ of: () => ({ get: () => node }) }) as unknown as Informers
const plugin = nodeRestriction(informers, alwaysDeny)

interface Write {
  readonly operation?: AdmissionRequest['operation']
  readonly kind: AnyKind
  readonly subresource?: string
  readonly object?: object
  readonly old?: object
  readonly namespace?: string
}

function admit({ operation = 'UPDATE', kind, subresource = '', object, old, namespace = 'default' }: Write, user = 'system:node:n1') {
  const read = (value: object | undefined) => value && (decodeObject(kind, value) as Mutable<ApiObject>)
  const shown = read(object)
  return plugin.admit!({
    operation,
    kind,
    subresource,
    namespace,
    name: (shown ?? read(old))?.metadata.name ?? '',
    object: shown,
    old: read(old),
    user: { name: user, groups: ['system:nodes'] },
    dryRun: false,
    warn: () => undefined,
  })
}

const podOn = (nodeName: string) => ({ metadata: { name: 'p' }, spec: { nodeName, containers: [{ name: 'c', image: 'i' }] } })
const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true }
const mirror = {
  metadata: { name: 'p', annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [owner] },
  spec: podOn('n1').spec,
}

describe('a kubelet', () => {
  it('writes the status of its own pods only', () => {
    void admit({ kind: Pod, subresource: 'status', object: podOn('n1'), old: podOn('n1') })
    expect(() => admit({ kind: Pod, subresource: 'status', object: podOn('n2'), old: podOn('n2') })).toThrow(
      'pods "p" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
    )
  })

  it('creates mirror pods that name nothing it could read by them', () => {
    void admit({ operation: 'CREATE', kind: Pod, object: mirror })
    expect(() => admit({ operation: 'CREATE', kind: Pod, object: podOn('n1') })).toThrow('can only create mirror pods')
    const greedy = { ...mirror, spec: { ...mirror.spec, volumes: [{ name: 's', secret: { secretName: 'x' } }] } }
    expect(() => admit({ operation: 'CREATE', kind: Pod, object: greedy })).toThrow('can not create pods that reference secrets')
  })

  it('changes its own node, but neither taints nor labels that draw pods', () => {
    const before = { metadata: { name: 'n1' } }
    void admit({ kind: Node, object: { metadata: { name: 'n1', labels: { mine: 'x' } } }, old: before })
    expect(() => admit({ kind: Node, object: { metadata: { name: 'n2' } }, old: { metadata: { name: 'n2' } } })).toThrow(
      'node "n1" is not allowed to modify node "n2"',
    )
    const tainted = { metadata: { name: 'n1' }, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }
    expect(() => admit({ kind: Node, object: before, old: tainted })).toThrow('node "n1" is not allowed to modify taints')
    const labelled = { metadata: { name: 'n1', labels: { 'node-restriction.kubernetes.io/a': 'x' } } }
    expect(() => admit({ kind: Node, object: labelled, old: before })).toThrow(
      'is not allowed to modify labels: node-restriction.kubernetes.io/a',
    )
  })

  it('renews its own lease', () => {
    const lease = (name: string) => ({
      kind: Lease,
      namespace: 'kube-node-lease',
      object: { metadata: { name } },
      old: { metadata: { name } },
    })
    void admit(lease('n1'))
    expect(() => admit(lease('n2'))).toThrow('can only access node lease with the same name as the requesting node')
  })
})

it('knows the labels that a kubelet may set', () => {
  expect(forbiddenLabels({ 'kubernetes.io/hostname': 'n1', 'node.kubernetes.io/x': '1', 'example.com/a': 'b' })).toEqual([])
  expect(forbiddenLabels({ 'node-role.kubernetes.io/control-plane': '' })).toEqual(['node-role.kubernetes.io/control-plane'])
})
