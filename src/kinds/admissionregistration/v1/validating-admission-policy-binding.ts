import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { listSet, message, omitempty, oneOf, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { MatchResources } from './match-resources.ts'
import { ParamRef, paramRefText } from './param-ref.ts'
import { validateValidatingBinding } from './policy.rules.ts'

export const ValidatingAdmissionPolicyBindingSpec = message('io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec', {
  policyName: required(1, string, 'The policy.'),
  paramRef: optional(2, ParamRef, 'The parameters.'),
  matchResources: optional(3, MatchResources, 'Which requests are looked at.'),
  validationActions: omitempty(4, listSet(oneOf('Deny', 'Warn', 'Audit')), 'What happens when a validation fails.'),
})
export interface ValidatingAdmissionPolicyBindingSpec extends StoredOf<typeof ValidatingAdmissionPolicyBindingSpec> {}

export interface ValidatingAdmissionPolicyBinding extends ObjectWith<{ spec: ValidatingAdmissionPolicyBindingSpec }> {}

export const ValidatingAdmissionPolicyBinding = defineKind({
  documentation: 'Puts a validating policy into effect.',
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  scope: 'Cluster',
  openapi: 'io.k8s.api.admissionregistration.v1',
  categories: ['api-extensions'],
  unconditionalUpdate: false,
  generation: true,
  spec: ValidatingAdmissionPolicyBindingSpec,
  columns: [
    nameColumn,
    {
      name: 'PolicyName',
      description: 'PolicyName indicates the policy definition which the policy binding binded to',
      of: ({ spec }) => spec.policyName,
    },
    {
      name: 'ParamRef',
      description: 'ParamRef indicates the param resource which sets the configuration param',
      of: ({ spec }) => paramRefText(spec.paramRef),
    },
    ageColumn,
  ],
  validate: validateValidatingBinding,
})
