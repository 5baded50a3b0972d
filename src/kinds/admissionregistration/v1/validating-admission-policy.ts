import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, int64, list, listMap, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { Condition } from '../../meta/v1/condition.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { FailurePolicyType } from './failure-policy-type.ts'
import { MatchCondition } from './match-condition.ts'
import { MatchResources } from './match-resources.ts'
import { ParamKind, paramKindText } from './param-kind.ts'
import { validateValidatingPolicy } from './policy.rules.ts'
import { Variable } from './variable.ts'

export const AuditAnnotation = message('io.k8s.api.admissionregistration.v1.AuditAnnotation', {
  key: required(1, string, "The end of the annotation's key; the policy's name stands before it."),
  valueExpression: required(2, string, 'A CEL expression whose text is the annotation; null for none.'),
})
export interface AuditAnnotation extends StoredOf<typeof AuditAnnotation> {}

export const Validation = message('io.k8s.api.admissionregistration.v1.Validation', {
  expression: required(1, string, 'A CEL expression.'),
  message: omitempty(2, string, 'What happened, for people.'),
  reason: optional(3, string, 'What happened, in one word.'),
  messageExpression: omitempty(4, string, 'An expression that makes the message.'),
})
export interface Validation extends StoredOf<typeof Validation> {}

export const ValidatingAdmissionPolicySpec = message('io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec', {
  paramKind: optional(1, ParamKind, 'The kind of the parameters.'),
  matchConstraints: optional(2, MatchResources, 'Which requests are looked at.'),
  validations: omitempty(3, list(Validation), 'Expressions that must be true.'),
  failurePolicy: defaulted(4, FailurePolicyType, 'Fail', 'What happens when nobody answers.'),
  auditAnnotations: omitempty(5, list(AuditAnnotation), 'Expressions whose values go into the audit log.'),
  matchConditions: omitempty(
    6,
    listMap(MatchCondition, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
    'Expressions that must all be true for a request to be sent.',
  ),
  variables: omitempty(7, listMap(Variable, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }), 'Expressions with a name.'),
})
export interface ValidatingAdmissionPolicySpec extends StoredOf<typeof ValidatingAdmissionPolicySpec> {}

export const ExpressionWarning = message('io.k8s.api.admissionregistration.v1.ExpressionWarning', {
  fieldRef: required(2, string, 'Where the expression stands in the policy.'),
  warning: required(3, string, 'What is wrong, for each kind.'),
})
export interface ExpressionWarning extends StoredOf<typeof ExpressionWarning> {}

export const TypeChecking = message('io.k8s.api.admissionregistration.v1.TypeChecking', {
  expressionWarnings: omitempty(1, list(ExpressionWarning), 'A warning for each expression that does not fit a kind.'),
})
export interface TypeChecking extends StoredOf<typeof TypeChecking> {}

export const ValidatingAdmissionPolicyStatus = message('io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyStatus', {
  observedGeneration: omitempty(1, int64, 'The generation of the spec that this status answers to.'),
  typeChecking: optional(2, TypeChecking, 'What was found wrong with the types in expressions.'),
  conditions: omitempty(3, listMap(Condition, ['type']), 'What holds of the object right now, one entry per aspect.'),
})
export interface ValidatingAdmissionPolicyStatus extends StoredOf<typeof ValidatingAdmissionPolicyStatus> {}

export interface ValidatingAdmissionPolicy
  extends ObjectWith<{ spec: ValidatingAdmissionPolicySpec; status: ValidatingAdmissionPolicyStatus }> {}

export const ValidatingAdmissionPolicy = defineKind({
  documentation: 'Refuses requests by expressions.',
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  scope: 'Cluster',
  openapi: 'io.k8s.api.admissionregistration.v1',
  categories: ['api-extensions'],
  subresources: [statusSubresource],
  unconditionalUpdate: false,
  generation: true,
  spec: ValidatingAdmissionPolicySpec,
  status: ValidatingAdmissionPolicyStatus,
  columns: [
    nameColumn,
    {
      name: 'Validations',
      description: 'Validations indicates the number of validation rules defined in this configuration',
      type: 'integer',
      of: ({ spec }) => spec.validations?.length ?? 0,
    },
    {
      name: 'ParamKind',
      description: 'ParamKind specifies the kind of resources used to parameterize this policy',
      of: ({ spec }) => paramKindText(spec.paramKind),
    },
    ageColumn,
  ],
  prepareCreate(policy) {
    policy.status = {}
  },
  validate: validateValidatingPolicy,
})
