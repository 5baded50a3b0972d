import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  boolean,
  defaulted,
  embedded,
  int32,
  list,
  listMap,
  listSet,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { flowControlConditionFields } from './condition-fields.ts'
import { validateFlowSchema } from './flow-schema.rules.ts'

export const FlowDistinguisherMethod = message('io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod', {
  type: required(1, oneOf('ByUser', 'ByNamespace'), 'What requests are told apart by: `ByUser` or `ByNamespace`.'),
})
export interface FlowDistinguisherMethod extends StoredOf<typeof FlowDistinguisherMethod> {}

export const NonResourcePolicyRule = message('io.k8s.api.flowcontrol.v1.NonResourcePolicyRule', {
  verbs: required(1, listSet(string), 'What may be done: `get`, `list`, … or `*`.'),
  nonResourceURLs: required(6, listSet(string), 'URL paths that are no resources; a trailing `*` is a wildcard.'),
})
export interface NonResourcePolicyRule extends StoredOf<typeof NonResourcePolicyRule> {}

export const ResourcePolicyRule = message('io.k8s.api.flowcontrol.v1.ResourcePolicyRule', {
  verbs: required(1, listSet(string), 'What may be done: `get`, `list`, … or `*`.'),
  apiGroups: required(2, listSet(string), 'API groups; `*` stands for all.'),
  resources: required(3, listSet(string), 'The resources; `*` for all.'),
  clusterScope: omitempty(4, boolean, 'Whether requests without a namespace match.'),
  namespaces: embedded(5, listSet(string, { nullable: true }), 'The namespaces of requests that match; `*` for all.'),
})
export interface ResourcePolicyRule extends StoredOf<typeof ResourcePolicyRule> {}

export const GroupSubject = message('io.k8s.api.flowcontrol.v1.GroupSubject', {
  name: required(1, string, 'The group; `*` for all.'),
})
export interface GroupSubject extends StoredOf<typeof GroupSubject> {}

export const ServiceAccountSubject = message('io.k8s.api.flowcontrol.v1.ServiceAccountSubject', {
  namespace: required(1, string, 'The namespace of the service account.'),
  name: required(2, string, 'The service account; `*` for all of the namespace.'),
})
export interface ServiceAccountSubject extends StoredOf<typeof ServiceAccountSubject> {}

export const UserSubject = message('io.k8s.api.flowcontrol.v1.UserSubject', {
  name: required(1, string, 'The user; `*` for all.'),
})
export interface UserSubject extends StoredOf<typeof UserSubject> {}

export const Subject = message('io.k8s.api.flowcontrol.v1.Subject', {
  kind: required(1, oneOf('User', 'Group', 'ServiceAccount'), '`User`, `Group` or `ServiceAccount`.'),
  user: optional(2, UserSubject, 'A user.'),
  group: optional(3, GroupSubject, 'A group of users.'),
  serviceAccount: optional(4, ServiceAccountSubject, 'A service account.'),
})
export interface Subject extends StoredOf<typeof Subject> {}

export const PolicyRulesWithSubjects = message('io.k8s.api.flowcontrol.v1.PolicyRulesWithSubjects', {
  subjects: required(1, list(Subject), 'Whom the role is given to.'),
  resourceRules: omitempty(2, list(ResourcePolicyRule), 'Rules about resources.'),
  nonResourceRules: omitempty(3, list(NonResourcePolicyRule), 'Rules about paths.'),
})
export interface PolicyRulesWithSubjects extends StoredOf<typeof PolicyRulesWithSubjects> {}

export const PriorityLevelConfigurationReference = message('io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference', {
  name: required(1, string, 'The priority level.'),
})
export interface PriorityLevelConfigurationReference extends StoredOf<typeof PriorityLevelConfigurationReference> {}

export const FlowSchemaSpec = message('io.k8s.api.flowcontrol.v1.FlowSchemaSpec', {
  priorityLevelConfiguration: required(1, PriorityLevelConfigurationReference, 'The priority level.'),
  matchingPrecedence: defaulted(2, int32, 1000, 'Lower is looked at first.', 'value'),
  distinguisherMethod: optional(3, FlowDistinguisherMethod, 'How requests are put into flows.'),
  rules: omitempty(4, list(PolicyRulesWithSubjects), 'Which requests.'),
})
export interface FlowSchemaSpec extends StoredOf<typeof FlowSchemaSpec> {}

export const FlowSchemaCondition = message('io.k8s.api.flowcontrol.v1.FlowSchemaCondition', flowControlConditionFields)
export interface FlowSchemaCondition extends StoredOf<typeof FlowSchemaCondition> {}

export const FlowSchemaStatus = message('io.k8s.api.flowcontrol.v1.FlowSchemaStatus', {
  conditions: omitempty(
    1,
    listMap(FlowSchemaCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface FlowSchemaStatus extends StoredOf<typeof FlowSchemaStatus> {}

export interface FlowSchema extends ObjectWith<{ spec: FlowSchemaSpec; status: FlowSchemaStatus }> {}

export const FlowSchema = defineKind({
  documentation: 'Which requests go to which priority level.',
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  plural: 'flowschemas',
  scope: 'Cluster',
  openapi: 'io.k8s.api.flowcontrol.v1',
  subresources: [statusSubresource],
  generation: true,
  spec: FlowSchemaSpec,
  status: FlowSchemaStatus,
  columns: [
    nameColumn,
    {
      name: 'PriorityLevel',
      description: '`name` is the name of the priority level configuration being referenced Required.',
      of: ({ spec }) => spec.priorityLevelConfiguration.name,
    },
    {
      name: 'MatchingPrecedence',
      description:
        '`matchingPrecedence` is used to choose among the FlowSchemas that match a given request. The chosen FlowSchema is among those with the numerically lowest (which we take to be logically highest) MatchingPrecedence.  Each MatchingPrecedence value must be ranged in [1,10000]. Note that if the precedence is not specified, it will be set to 1000 as default.',
      of: ({ spec }) => spec.matchingPrecedence,
    },
    {
      name: 'DistinguisherMethod',
      description:
        '`distinguisherMethod` defines how to compute the flow distinguisher for requests that match this schema. `nil` specifies that the distinguisher is disabled and thus will always be the empty string.',
      of: ({ spec }) => spec.distinguisherMethod?.type ?? NONE,
    },
    ageColumn,
    {
      name: 'MissingPL',
      description: 'references a broken or non-existent PriorityLevelConfiguration',
      of: ({ status }) => status.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    },
  ],
  prepareCreate(flowSchema) {
    flowSchema.status = {}
  },
  validate: validateFlowSchema,
})
