import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  boolean,
  bytes,
  defaulted,
  embedded,
  int32,
  int64,
  list,
  listMap,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import {
  applyDefinitionDefaults,
  rememberStorageVersion,
  validateDefinition,
  validateDefinitionName,
  validateDefinitionUpdate,
} from './custom-resource-definition.rules.ts'
import { definitionFromV1beta1 } from './custom-resource-definition-v1beta1.ts'
import { JSONSchemaProps } from './json-schema-props.ts'

export const ServiceReference = message('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference', {
  namespace: required(1, string, 'The namespace of the service.'),
  name: required(2, string, 'The service.'),
  path: optional(3, string, 'The path of the URL.'),
  port: defaulted(4, int32, 443, 'The port of the service.'),
})
export interface ServiceReference extends StoredOf<typeof ServiceReference> {}

export const WebhookClientConfig = message('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig', {
  url: optional(3, string, 'The URL; none if a service is named.'),
  service: optional(1, ServiceReference, 'The service.'),
  caBundle: omitempty(2, bytes, 'PEM certificates against which the server is verified.'),
})
export interface WebhookClientConfig extends StoredOf<typeof WebhookClientConfig> {}

export const WebhookConversion = message('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion', {
  clientConfig: optional(2, WebhookClientConfig, 'How the webhook is reached.'),
  conversionReviewVersions: required(3, list(string), 'Versions of the review that the webhook understands, best first.'),
})
export interface WebhookConversion extends StoredOf<typeof WebhookConversion> {}

export const CustomResourceConversion = message('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion', {
  strategy: required(1, oneOf('None', 'Webhook'), '`None`, or `Webhook`.'),
  webhook: optional(2, WebhookConversion, 'Who converts.'),
})
export interface CustomResourceConversion extends StoredOf<typeof CustomResourceConversion> {}

export const CustomResourceDefinitionNames = message(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames',
  {
    plural: required(1, string, 'The name in URLs.'),
    singular: omitempty(2, string, 'The name of one of them.'),
    shortNames: omitempty(3, list(string), 'Short names for the command line.'),
    kind: required(4, string, 'The kind.'),
    listKind: omitempty(5, string, 'The kind of a list.'),
    categories: omitempty(6, list(string), 'Groups of resources that it belongs to.'),
  },
)
export interface CustomResourceDefinitionNames extends StoredOf<typeof CustomResourceDefinitionNames> {}

export const CustomResourceColumnDefinition = message(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition',
  {
    name: required(1, string, 'The heading.'),
    type: required(2, string, 'The type of the values.'),
    format: omitempty(3, string, 'How the values are shown.'),
    description: omitempty(4, string, 'What the column says.'),
    priority: omitempty(5, int32, 'Above 0, the column is only in wide tables.'),
    jsonPath: required(6, string, 'The path of the field.'),
  },
)
export interface CustomResourceColumnDefinition extends StoredOf<typeof CustomResourceColumnDefinition> {}

export const CustomResourceSubresourceScale = message(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale',
  {
    specReplicasPath: required(1, string, 'Where the number of pods that should be is.'),
    statusReplicasPath: required(2, string, 'Where the number of pods that are is.'),
    labelSelectorPath: optional(3, string, 'Where the selector is.'),
  },
)
export interface CustomResourceSubresourceScale extends StoredOf<typeof CustomResourceSubresourceScale> {}

export const CustomResourceSubresourceStatus = message(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus',
  {},
)
export interface CustomResourceSubresourceStatus extends StoredOf<typeof CustomResourceSubresourceStatus> {}

export const CustomResourceSubresources = message('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources', {
  status: optional(1, CustomResourceSubresourceStatus, 'Whether the status is a subresource.'),
  scale: optional(2, CustomResourceSubresourceScale, 'Where the scale is found.'),
})
export interface CustomResourceSubresources extends StoredOf<typeof CustomResourceSubresources> {}

export const CustomResourceValidation = message('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation', {
  openAPIV3Schema: optional(1, JSONSchemaProps, 'The schema.'),
})
export interface CustomResourceValidation extends StoredOf<typeof CustomResourceValidation> {}

export const SelectableField = message('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField', {
  jsonPath: required(1, string, 'The path of the field.'),
})
export interface SelectableField extends StoredOf<typeof SelectableField> {}

export const CustomResourceDefinitionVersion = message(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion',
  {
    name: required(1, string, 'The name of the version.'),
    served: required(2, boolean, 'Whether it can be used.'),
    storage: required(3, boolean, 'Whether objects are stored in it.'),
    deprecated: omitempty(7, boolean, 'Whether its use is warned about.'),
    deprecationWarning: optional(8, string, 'The text of the warning.'),
    schema: optional(4, CustomResourceValidation, 'What objects look like.'),
    subresources: optional(5, CustomResourceSubresources, 'Which subresources there are.'),
    additionalPrinterColumns: omitempty(6, list(CustomResourceColumnDefinition), 'Columns of its tables.'),
    selectableFields: omitempty(9, list(SelectableField), 'Fields by which objects can be selected.'),
  },
)
export interface CustomResourceDefinitionVersion extends StoredOf<typeof CustomResourceDefinitionVersion> {}

export const CustomResourceDefinitionSpec = message(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec',
  {
    group: required(1, string, 'The API group of the resource.'),
    names: required(3, CustomResourceDefinitionNames, 'How it is called.'),
    scope: required(4, oneOf('Cluster', 'Namespaced'), '`Namespaced` or `Cluster`.'),
    versions: required(7, list(CustomResourceDefinitionVersion), 'The versions in which it is served.'),
    conversion: defaulted(9, CustomResourceConversion, undefined, 'How one version becomes another.'),
    preserveUnknownFields: omitempty(10, boolean, 'Whether unknown fields are kept.'),
  },
)
export interface CustomResourceDefinitionSpec extends StoredOf<typeof CustomResourceDefinitionSpec> {}

export const CustomResourceDefinitionCondition = message(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition',
  {
    type: required(1, string, 'What this is about.'),
    status: required(2, ConditionStatus, 'Whether it holds.'),
    lastTransitionTime: embedded(3, timeOrNull, 'When the status last changed.'),
    reason: omitempty(4, string, 'What happened, in one word.'),
    message: omitempty(5, string, 'What happened, for people.'),
    observedGeneration: omitempty(6, int64, 'The generation of the spec that this status answers to.'),
  },
)
export interface CustomResourceDefinitionCondition extends StoredOf<typeof CustomResourceDefinitionCondition> {}

export const CustomResourceDefinitionStatus = message(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus',
  {
    conditions: embedded(
      1,
      listMap(CustomResourceDefinitionCondition, ['type'], { nullable: true }),
      'What holds of the object right now, one entry per aspect.',
    ),
    acceptedNames: embedded(2, CustomResourceDefinitionNames, 'The names in use.'),
    storedVersions: embedded(3, list(string, { nullable: true }), 'Versions in which objects may be stored.'),
    observedGeneration: omitempty(4, int64, 'The generation of the spec that this status answers to.'),
  },
)
export interface CustomResourceDefinitionStatus extends StoredOf<typeof CustomResourceDefinitionStatus> {}

export interface CustomResourceDefinition
  extends ObjectWith<{ spec: CustomResourceDefinitionSpec; status: CustomResourceDefinitionStatus }> {}

export const CustomResourceDefinition = defineKind({
  documentation: 'A resource that is added to the API.',
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  storagePrefix: 'apiextensions.k8s.io/customresourcedefinitions',
  formerStoragePrefix: 'customresourcedefinitions',
  scope: 'Cluster',
  openapi: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  subresources: [statusSubresource],
  unconditionalUpdate: false,
  freeFinalizers: true,
  generation: true,
  spec: CustomResourceDefinitionSpec,
  status: CustomResourceDefinitionStatus,
  formerVersions: { v1beta1: definitionFromV1beta1 },
  applyDefaults: applyDefinitionDefaults,
  prepareCreate(definition) {
    definition.status = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: null }
    rememberStorageVersion(definition)
  },
  prepareUpdate(definition, _old, { subresource }) {
    if (subresource === '') rememberStorageVersion(definition)
  },
  validateCreate: validateDefinitionName,
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
})
