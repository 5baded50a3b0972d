import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { MatchResources } from './match-resources.ts'
import { ParamRef, paramRefText } from './param-ref.ts'
import { validateMutatingBinding } from './policy.rules.ts'

export const MutatingAdmissionPolicyBindingSpec = message('io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBindingSpec', {
  policyName: omitempty(1, string, 'The policy.'),
  paramRef: optional(2, ParamRef, 'The parameters.'),
  matchResources: optional(3, MatchResources, 'Which requests are looked at.'),
})
export interface MutatingAdmissionPolicyBindingSpec extends StoredOf<typeof MutatingAdmissionPolicyBindingSpec> {}

export interface MutatingAdmissionPolicyBinding extends ObjectWith<{ spec: MutatingAdmissionPolicyBindingSpec }> {}

export const MutatingAdmissionPolicyBinding = defineKind({
  documentation: 'Puts a mutating policy into effect.',
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  scope: 'Cluster',
  openapi: 'io.k8s.api.admissionregistration.v1',
  categories: ['api-extensions'],
  unconditionalUpdate: false,
  generation: true,
  spec: MutatingAdmissionPolicyBindingSpec,
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
  validate: validateMutatingBinding,
})
