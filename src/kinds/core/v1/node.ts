import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { boolean, list, listSet, message, omitempty, optional, required, type StoredOf, string, time } from '#machinery/schema/schema.ts'
import { NodeConfigSource } from './node-config-source.ts'
import { NodeStatus } from './node-status.ts'
import { TaintEffect } from './taint-effect.ts'

export const Taint = message('io.k8s.api.core.v1.Taint', {
  key: required(1, string),
  value: omitempty(2, string),
  effect: required(3, TaintEffect),
  timeAdded: optional(4, time),
})
export interface Taint extends StoredOf<typeof Taint> {}

export const NodeSpec = message('io.k8s.api.core.v1.NodeSpec', {
  podCIDR: omitempty(1, string),
  podCIDRs: omitempty(7, listSet(string, { patchStrategy: 'merge' })),
  providerID: omitempty(3, string),
  unschedulable: omitempty(4, boolean),
  taints: omitempty(5, list(Taint)),
  configSource: optional(6, NodeConfigSource),
  externalID: omitempty(2, string),
})
export interface NodeSpec extends StoredOf<typeof NodeSpec> {}

export interface Node extends ObjectWith<{ spec: NodeSpec; status: NodeStatus }> {}

export const Node = defineKind({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  scope: 'Cluster',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['no'],
  subresources: [
    { name: 'proxy', verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: { group: '', version: 'v1', kind: 'NodeProxyOptions' } },
    { name: 'status', verbs: ['get', 'patch', 'update'] },
  ],
  storagePrefix: 'minions',
  spec: NodeSpec,
  status: NodeStatus,
})
