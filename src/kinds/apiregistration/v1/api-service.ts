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
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { validateAPIService } from './api-service.rules.ts'

export const ServiceReference = message('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference', {
  namespace: omitempty(1, string, 'The namespace of the service.'),
  name: omitempty(2, string, 'The service.'),
  port: defaulted(3, int32, 443, 'The port of the service.'),
})
export interface ServiceReference extends StoredOf<typeof ServiceReference> {}

export const APIServiceSpec = message('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec', {
  service: optional(1, ServiceReference, 'The service that serves it; none if it is built in.'),
  group: omitempty(2, string, 'The API group.'),
  version: omitempty(3, string, 'The API version.'),
  insecureSkipTLSVerify: omitempty(4, boolean, "Whether the server's certificate is not checked."),
  caBundle: omitempty(5, bytes, 'PEM certificates against which the server is verified.'),
  groupPriorityMinimum: required(7, int32, 'Where the group stands among others.'),
  versionPriority: required(8, int32, 'Where the version stands in its group.'),
})
export interface APIServiceSpec extends StoredOf<typeof APIServiceSpec> {}

export const APIServiceCondition = message('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition', {
  type: required(1, string, 'What this is about.'),
  status: required(2, string, 'Whether it holds.'),
  lastTransitionTime: embedded(3, timeOrNull, 'When the status last changed.'),
  reason: omitempty(4, string, 'What happened, in one word.'),
  message: omitempty(5, string, 'What happened, for people.'),
})
export interface APIServiceCondition extends StoredOf<typeof APIServiceCondition> {}

export const APIServiceStatus = message('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus', {
  conditions: omitempty(
    1,
    listMap(APIServiceCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface APIServiceStatus extends StoredOf<typeof APIServiceStatus> {}

export interface APIService extends ObjectWith<{ spec: APIServiceSpec; status: APIServiceStatus }> {}

export const APIService = defineKind({
  documentation: 'A version of an API group, and who serves it.',
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  formerStoragePrefix: 'apiservices',
  scope: 'Cluster',
  openapi: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
  categories: ['api-extensions'],
  subresources: [statusSubresource],
  unconditionalUpdate: false,
  spec: APIServiceSpec,
  status: APIServiceStatus,
  columns: [
    nameColumn,
    {
      name: 'Service',
      description: 'The reference to the service that hosts this API endpoint.',
      of: ({ spec: { service } }) => (service ? `${service.namespace}/${service.name}` : 'Local'),
    },
    { name: 'Available', description: 'Whether this service is available.', of: ({ status }) => availableText(status) },
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
