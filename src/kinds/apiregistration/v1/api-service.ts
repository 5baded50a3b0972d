import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isPathSegmentName } from '#machinery/meta/names.ts'
import {
  boolean,
  bytes,
  defaulted,
  embedded,
  int32,
  listMap,
  message,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { validateAPIService } from './api-service.rules.ts'

export const ServiceReference = message('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference', {
  namespace: omitempty(1, string),
  name: omitempty(2, string),
  port: defaulted(3, int32, 443),
})
export interface ServiceReference extends StoredOf<typeof ServiceReference> {}

export const APIServiceSpec = message('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec', {
  service: optional(1, ServiceReference),
  group: omitempty(2, string),
  version: omitempty(3, string),
  insecureSkipTLSVerify: omitempty(4, boolean),
  caBundle: omitempty(5, bytes),
  groupPriorityMinimum: required(7, int32),
  versionPriority: required(8, int32),
})
export interface APIServiceSpec extends StoredOf<typeof APIServiceSpec> {}

export const APIServiceCondition = message('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition', {
  type: required(1, string),
  status: required(2, string),
  lastTransitionTime: embedded(3, timeOrNull),
  reason: omitempty(4, string),
  message: omitempty(5, string),
})
export interface APIServiceCondition extends StoredOf<typeof APIServiceCondition> {}

export const APIServiceStatus = message('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus', {
  conditions: omitempty(1, listMap(APIServiceCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' })),
})
export interface APIServiceStatus extends StoredOf<typeof APIServiceStatus> {}

export interface APIService extends ObjectWith<{ spec: APIServiceSpec; status: APIServiceStatus }> {}

export const APIService = defineKind({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  scope: 'Cluster',
  openapi: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  categories: ['api-extensions'],
  subresources: [{ name: 'status', verbs: ['get', 'patch', 'update'] }],
  unconditionalUpdate: false,
  spec: APIServiceSpec,
  status: APIServiceStatus,
  columns: [
    nameColumn,
    { name: 'Service', of: ({ spec: { service } }) => (service ? `${service.namespace}/${service.name}` : 'Local') },
    { name: 'Available', of: ({ status }) => availableText(status) },
    ageColumn,
  ],
  prepareCreate(service) {
    service.status = {}
  },
  validate: validateAPIService,
  validateName: isPathSegmentName,
})

function availableText({ conditions = [] }: APIServiceStatus): string {
  const available = conditions.find(({ type }) => type === 'Available')
  if (!available) return 'Unknown'
  return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`
}
