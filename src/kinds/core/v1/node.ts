import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { boolean, list, listSet, message, omitempty, optional, required, type StoredOf, string, time } from '#machinery/schema/schema.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { nodeWarnings, preparePodCIDRs, validateNode, validateNodeUpdate } from './node.rules.ts'
import { NodeConfigSource } from './node-config-source.ts'
import { NodeStatus } from './node-status.ts'
import { TaintEffect } from './taint-effect.ts'

export const Taint = message('io.k8s.api.core.v1.Taint', {
  key: required(1, string, 'The key.'),
  value: omitempty(2, string, 'The value.'),
  effect: required(3, TaintEffect, 'What becomes of pods that do not tolerate it.'),
  timeAdded: optional(4, time, 'Since when it is there.'),
})
export interface Taint extends StoredOf<typeof Taint> {}

export const NodeSpec = message('io.k8s.api.core.v1.NodeSpec', {
  podCIDR: omitempty(1, string, 'Addresses for the pods of the node.'),
  podCIDRs: omitempty(7, listSet(string, { patchStrategy: 'merge' }), 'The same, one per family.'),
  providerID: omitempty(3, string, 'The id that the provider gave the machine.'),
  unschedulable: omitempty(4, boolean, 'Whether no new pods come here.'),
  taints: omitempty(5, list(Taint), 'What keeps pods away.'),
  configSource: optional(6, NodeConfigSource, 'Out of use.'),
  externalID: omitempty(2, string, 'Out of use.'),
})
export interface NodeSpec extends StoredOf<typeof NodeSpec> {}

export interface Node extends ObjectWith<{ spec: NodeSpec; status: NodeStatus }> {}

export const Node = defineKind({
  documentation: 'A machine that runs pods.',
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  scope: 'Cluster',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['no'],
  subresources: [
    { name: 'proxy', verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: { group: '', version: 'v1', kind: 'NodeProxyOptions' } },
    statusSubresource,
  ],
  storagePrefix: 'minions',
  spec: NodeSpec,
  status: NodeStatus,
  columns: [
    nameColumn,
    { name: 'Status', description: 'The status of the node', of: statusText },
    { name: 'Roles', description: 'The roles of the node', of: node => rolesOf(node).join(',') || NONE },
    ageColumn,
    { name: 'Version', description: 'Kubelet Version reported by the node.', of: ({ status }) => status.nodeInfo.kubeletVersion },
    {
      name: 'Internal-IP',
      description:
        "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status or consumers of the downward API (status.hostIP).",
      priority: 1,
      of: node => addressText(node, 'InternalIP'),
    },
    {
      name: 'External-IP',
      description:
        "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status or consumers of the downward API (status.hostIP).",
      priority: 1,
      of: node => addressText(node, 'ExternalIP'),
    },
    {
      name: 'OS-Image',
      description: 'OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).',
      priority: 1,
      of: ({ status }) => status.nodeInfo.osImage || '<unknown>',
    },
    {
      name: 'Kernel-Version',
      description: "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).",
      priority: 1,
      of: ({ status }) => status.nodeInfo.kernelVersion || '<unknown>',
    },
    {
      name: 'Container-Runtime',
      description: 'ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).',
      priority: 1,
      of: ({ status }) => status.nodeInfo.containerRuntimeVersion || '<unknown>',
    },
  ],
  gatedFields: [{ gate: 'NodeDeclaredFeatures', path: 'status.declaredFeatures' }],
  prepareCreate: preparePodCIDRs,
  prepareUpdate: node => preparePodCIDRs(node),
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  warnings: nodeWarnings,
  selectableFields: { 'spec.unschedulable': ({ spec }) => `${spec.unschedulable ?? false}` },
})

function statusText(node: Node): string {
  const ready = node.status.conditions?.find(condition => condition.type === 'Ready')
  const text = !ready ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node.spec.unschedulable ? `${text},SchedulingDisabled` : text
}

/** The roles that labels give it, sorted. */
export function rolesOf(node: Node): readonly string[] {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX)) {
      const role = key.slice(ROLE_PREFIX.length)
      if (role !== '') roles.add(role)
    } else if (key === 'kubernetes.io/role' && value !== '') roles.add(value)
  }
  return [...roles].sort()
}

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function addressText(node: Node, type: string): string {
  return node.status.addresses?.find(address => address.type === type)?.address ?? NONE
}
