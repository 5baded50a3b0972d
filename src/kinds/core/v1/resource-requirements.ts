import { listMap, map, message, omitempty, quantity, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ResourceClaim = message('io.k8s.api.core.v1.ResourceClaim', {
  name: required(1, string),
  request: omitempty(2, string),
})
export interface ResourceClaim extends StoredOf<typeof ResourceClaim> {}

export const ResourceRequirements = message('io.k8s.api.core.v1.ResourceRequirements', {
  limits: omitempty(1, map(quantity)),
  requests: omitempty(2, map(quantity)),
  claims: omitempty(3, listMap(ResourceClaim, ['name'])),
})
export interface ResourceRequirements extends StoredOf<typeof ResourceRequirements> {}
