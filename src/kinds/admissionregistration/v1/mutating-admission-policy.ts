import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, list, listMap, message, omitempty, oneOf, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { FailurePolicyType } from './failure-policy-type.ts'
import { MatchCondition } from './match-condition.ts'
import { MatchResources } from './match-resources.ts'
import { ParamKind, paramKindText } from './param-kind.ts'
import { validateMutatingPolicy } from './policy.rules.ts'
import { ReinvocationPolicyType } from './reinvocation-policy-type.ts'
import { Variable } from './variable.ts'

export const ApplyConfiguration = message('io.k8s.api.admissionregistration.v1.ApplyConfiguration', {
  expression: omitempty(1, string, 'A CEL expression.'),
})
export interface ApplyConfiguration extends StoredOf<typeof ApplyConfiguration> {}

export const JSONPatch = message('io.k8s.api.admissionregistration.v1.JSONPatch', {
  expression: omitempty(1, string, 'A CEL expression.'),
})
export interface JSONPatch extends StoredOf<typeof JSONPatch> {}

export const Mutation = message('io.k8s.api.admissionregistration.v1.Mutation', {
  patchType: required(2, oneOf('ApplyConfiguration', 'JSONPatch'), 'How the change is written: `ApplyConfiguration` or `JSONPatch`.'),
  applyConfiguration: optional(3, ApplyConfiguration, 'The change as an object to be applied.'),
  jsonPatch: optional(4, JSONPatch, 'The change as a JSON patch.'),
})
export interface Mutation extends StoredOf<typeof Mutation> {}

export const MutatingAdmissionPolicySpec = message('io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicySpec', {
  paramKind: optional(1, ParamKind, 'The kind of the parameters.'),
  matchConstraints: optional(2, MatchResources, 'Which requests are looked at.'),
  variables: omitempty(3, list(Variable), 'Expressions with a name.'),
  mutations: omitempty(4, list(Mutation), 'The changes, one after the other.'),
  failurePolicy: defaulted(5, FailurePolicyType, 'Fail', 'What happens when nobody answers.'),
  matchConditions: omitempty(
    6,
    listMap(MatchCondition, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
    'Expressions that must all be true for a request to be sent.',
  ),
  reinvocationPolicy: omitempty(7, ReinvocationPolicyType, 'Whether it is asked again after others changed the object.'),
})
export interface MutatingAdmissionPolicySpec extends StoredOf<typeof MutatingAdmissionPolicySpec> {}

export interface MutatingAdmissionPolicy extends ObjectWith<{ spec: MutatingAdmissionPolicySpec }> {}

export const MutatingAdmissionPolicy = defineKind({
  documentation: 'Changes requests by expressions.',
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  scope: 'Cluster',
  openapi: 'io.k8s.api.admissionregistration.v1',
  categories: ['api-extensions'],
  unconditionalUpdate: false,
  generation: true,
  spec: MutatingAdmissionPolicySpec,
  columns: [
    nameColumn,
    {
      name: 'Mutations',
      description: 'Mutation indicates the number of mutations rules defined in this configuration',
      type: 'integer',
      of: ({ spec }) => spec.mutations?.length ?? 0,
    },
    {
      name: 'ParamKind',
      description: 'ParamKind specifies the kind of resources used to parameterize this policy',
      of: ({ spec }) => paramKindText(spec.paramKind),
    },
    ageColumn,
  ],
  validate: validateMutatingPolicy,
})
