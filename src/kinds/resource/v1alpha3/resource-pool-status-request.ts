import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, int32, int64, list, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { conditions } from '../../meta/v1/conditions.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { validateDriver } from '../v1/resource-claim-spec.rules.ts'

export const ResourcePoolStatusRequestSpec = message('io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestSpec', {
  driver: required(1, string, 'Whose pools.'),
  poolName: optional(2, string, 'Only this pool.'),
  limit: defaulted(3, int32, 100, 'How many pools at most.'),
})
export interface ResourcePoolStatusRequestSpec extends StoredOf<typeof ResourcePoolStatusRequestSpec> {}

export const PoolStatus = message('io.k8s.api.resource.v1alpha3.PoolStatus', {
  driver: required(1, string, 'The driver.'),
  poolName: required(2, string, 'The pool.'),
  nodeName: optional(3, string, 'The node on which all its devices are.'),
  totalDevices: optional(4, int32, 'How many devices it has.'),
  allocatedDevices: optional(5, int32, 'How many are allocated.'),
  availableDevices: optional(6, int32, 'How many may be allocated.'),
  unavailableDevices: optional(7, int32, 'How many may not, for other reasons.'),
  resourceSliceCount: optional(8, int32, 'Of how many slices it consists.'),
  generation: required(9, int64, 'The generation that was counted.'),
  validationError: optional(10, string, 'Why it could not be counted.'),
})
export interface PoolStatus extends StoredOf<typeof PoolStatus> {}

export const ResourcePoolStatusRequestStatus = message('io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestStatus', {
  pools: omitempty(2, list(PoolStatus), 'What is known of each pool.'),
  conditions: omitempty(3, conditions, 'Whether it was answered.'),
  poolCount: optional(6, int32, 'How many pools there are, shown or not.'),
})
export interface ResourcePoolStatusRequestStatus extends StoredOf<typeof ResourcePoolStatusRequestStatus> {}

export interface ResourcePoolStatusRequest
  extends ObjectWith<{ spec: ResourcePoolStatusRequestSpec; status?: ResourcePoolStatusRequestStatus | undefined }> {}

export const ResourcePoolStatusRequest = defineKind({
  documentation: 'A question, answered once: how many devices of a driver are there, and how many are free.',
  group: 'resource.k8s.io',
  version: 'v1alpha3',
  kind: 'ResourcePoolStatusRequest',
  plural: 'resourcepoolstatusrequests',
  scope: 'Cluster',
  openapi: 'io.k8s.api.resource.v1alpha3',
  deleteReturnsObject: true,
  subresources: [statusSubresource],
  fields: {
    spec: required(2, ResourcePoolStatusRequestSpec, 'What is asked.'),
    status: optional(3, ResourcePoolStatusRequestStatus, 'The answer; absent until there is one.'),
  },
  columns: [
    nameColumn,
    { name: 'Driver', description: 'Whose pools.', of: ({ spec }) => spec.driver },
    { name: 'Pools', type: 'integer', description: 'How many pools there are.', of: ({ status }) => status?.poolCount },
    ageColumn,
  ],
  prepareCreate(request) {
    delete request.status
  },
  validate({ spec: { driver, poolName, limit } }, errors) {
    const at = errors.at('spec')
    validateDriver(driver, at.at('driver'))
    if (poolName === '') at.at('poolName').invalid(poolName, 'must not be empty')
    if (limit < 1) at.at('limit').invalid(limit, 'must be greater than or equal to 1')
    if (limit > 1000) at.at('limit').invalid(limit, 'must be less than or equal to 1000')
  },
  validateUpdate({ spec, status }, old, errors, subresource) {
    if (subresource === '') validateImmutable(spec, old.spec, errors.at('spec'))
    else if (old.status) validateImmutable(status, old.status, errors.at('status'))
  },
})
