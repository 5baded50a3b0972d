import { Quantity } from '#machinery/quantity/quantity.ts'
import { listMap, map, message, omitempty, quantity, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ResourceClaim = message('io.k8s.api.core.v1.ResourceClaim', {
  name: required(1, string, "The claim, by its name in the pod's `resourceClaims`."),
  request: omitempty(2, string, 'One request of the claim; all unless said.'),
})
export interface ResourceClaim extends StoredOf<typeof ResourceClaim> {}

export const ResourceRequirements = message(
  'io.k8s.api.core.v1.ResourceRequirements',
  {
    limits: omitempty(1, map(quantity), 'What may be used at most.'),
    requests: omitempty(2, map(quantity), 'What is set aside.'),
    claims: omitempty(3, listMap(ResourceClaim, ['name']), 'Claims of the pod that the container uses.'),
  },
  {
    applyDefaults({ limits, requests }) {
      if (limits) roundUp(limits)
      if (requests) roundUp(requests)
    },
  },
)
export interface ResourceRequirements extends StoredOf<typeof ResourceRequirements> {}

/** Amounts are kept to the thousandth, rounded up. */
export function roundUp(list: Record<string, string>): void {
  for (const [name, amount] of Object.entries(list)) {
    if (FINE.test(amount)) list[name] = Quantity.parse(amount).roundUp(-3).toString()
  }
}

/** Text that may say more than thousandths. */
const FINE = /[nu]|\.\d|e-/
