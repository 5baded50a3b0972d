import { equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { nameIsDNSLabel, nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { isDualStack, validateCIDR } from '../../meta/v1/ip.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'
import type { Node } from './node.ts'
import type { NodeConfigSource } from './node-config-source.ts'
import { validateResourceAmount } from './resource-requirements.rules.ts'
import { validateTaints } from './toleration.rules.ts'

/** The first range stands in a field of its own as well. */
export function preparePodCIDRs({ spec }: Mutable<Node>): void {
  if (spec.podCIDR && !spec.podCIDRs) spec.podCIDRs = [spec.podCIDR]
  else if (spec.podCIDRs?.[0] !== undefined) spec.podCIDR = spec.podCIDRs[0]
}

export function validateNode({ spec, status }: Node, errors: FieldErrors): void {
  validateTaints(spec.taints, errors.at('metadata').at('taints'))
  for (const list of ['capacity', 'allocatable'] as const) {
    for (const [name, amount] of sortedEntries(status[list])) validateResourceAmount(name, amount, errors.at('status').at(list).at(name))
  }
  const { podCIDRs = [] } = spec
  const at = errors.at('spec').at('podCIDRs')
  const ranges = podCIDRs.map((range, index) => validateCIDR(range, at.index(index)))
  if (podCIDRs.length > 1) {
    if (podCIDRs.length > 2 || !isDualStack(ranges)) at.invalid(podCIDRs, 'may specify no more than one CIDR for each IP family')
    podCIDRs.forEach((range, index) => {
      if (podCIDRs.indexOf(range) < index) at.index(index).duplicate(range)
    })
  }
}

export function validateNodeUpdate(node: Node, old: Node, errors: FieldErrors): void {
  const at = errors.at('spec')
  node.status.addresses?.forEach((address, index, all) => {
    if (all.findIndex(other => equal(other, address)) < index) errors.at('status').at('addresses').index(index).duplicate(address)
  })
  const before = old.spec.podCIDRs ?? []
  const after = node.spec.podCIDRs ?? []
  if (before.length > 0 && !equal(before, after)) {
    const changed = before.length === after.length ? before.filter((range, index) => range !== after[index]).length : 1
    for (let count = 0; count < changed; count++) {
      at.at('podCIDRs').forbidden('node updates may not change podCIDR except from "" to valid')
    }
  }
  if (old.spec.providerID && old.spec.providerID !== node.spec.providerID) {
    at.at('providerID').forbidden('node updates may not change providerID except from "" to valid')
  }
  if (node.spec.configSource) validateConfigSource(node.spec.configSource, at.at('configSource'))
  if ((node.spec.externalID ?? '') !== (old.spec.externalID ?? '')) at.at('externalID').forbidden('may not be updated')
}

function validateConfigSource({ configMap }: NodeConfigSource, errors: FieldErrors): void {
  if (!configMap) {
    errors.invalid({}, 'exactly one reference subfield must be non-nil')
    return
  }
  const at = errors.at('configMap')
  if (configMap.uid) at.at('uid').forbidden('uid must not be set in spec')
  if (configMap.resourceVersion) at.at('resourceVersion').forbidden('resourceVersion must not be set in spec')
  if (configMap.namespace === '') at.at('namespace').required('namespace must be set')
  else at.at('namespace').invalidEach(configMap.namespace, nameIsDNSLabel(configMap.namespace, false))
  if (configMap.name === '') at.at('name').required('name must be set')
  else at.at('name').invalidEach(configMap.name, nameIsDNSSubdomain(configMap.name, false))
  if (configMap.kubeletConfigKey === '') at.at('kubeletConfigKey').required('kubeletConfigKey must be set')
}

/** Fields of long ago. */
export function nodeWarnings({ spec }: Node): string[] {
  const warnings: string[] = []
  if (spec.configSource) warnings.push('spec.configSource: the feature is no longer supported')
  if (spec.externalID) warnings.push('spec.externalID: this field is deprecated, and is unused by Kubernetes')
  return warnings
}
