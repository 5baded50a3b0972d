import { int32, list, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'

/* What groups of pods and their templates in workloads both say (KEP-4671, KEP-5710, KEP-5732). */

const PACKAGE = 'io.k8s.api.scheduling.v1alpha2'

const BasicSchedulingPolicy = message(`${PACKAGE}.BasicSchedulingPolicy`, {})
const GangSchedulingPolicy = message(`${PACKAGE}.GangSchedulingPolicy`, {
  minCount: required(1, int32, 'How many pods must find a node, or none does.'),
})

export const PodGroupSchedulingPolicy = message(`${PACKAGE}.PodGroupSchedulingPolicy`, {
  basic: optional(1, BasicSchedulingPolicy, 'Each pod by itself.'),
  gang: optional(2, GangSchedulingPolicy, 'Together, or not at all.'),
})
export interface PodGroupSchedulingPolicy extends StoredOf<typeof PodGroupSchedulingPolicy> {}

const TopologyConstraint = message(`${PACKAGE}.TopologyConstraint`, { key: required(1, string, 'The label of nodes.') })
export const PodGroupSchedulingConstraints = message(`${PACKAGE}.PodGroupSchedulingConstraints`, {
  topology: omitempty(1, list(TopologyConstraint), 'In one value of which labels of nodes all pods are.'),
})

export const PodGroupResourceClaim = message(`${PACKAGE}.PodGroupResourceClaim`, {
  name: required(1, string, 'How pods call it.'),
  resourceClaimName: optional(2, string, 'The claim.'),
  resourceClaimTemplateName: optional(3, string, 'The template of a claim for the group.'),
})

/** How claims are merged by strategic patches. */
export const byName = { patchStrategy: 'merge,retainKeys', patchMergeKey: 'name' } as const

/** One policy, and a gang of at least one. */
export function validateSchedulingPolicy({ basic, gang }: PodGroupSchedulingPolicy, errors: FieldErrors): void {
  if (!basic && !gang) errors.invalid('', 'must specify one of: `basic`, `gang`')
  else if (basic && gang) errors.invalid('{`basic`, `gang`}', 'exactly one of `basic`, `gang` is required, but multiple fields are set')
  else if (gang) {
    const at = errors.at('gang').at('minCount')
    if (gang.minCount === 0) at.required()
    else if (gang.minCount < 0) at.invalid(gang.minCount, 'must be greater than or equal to 1')
  }
}
