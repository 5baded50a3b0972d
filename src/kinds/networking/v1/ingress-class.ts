import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { defaulted, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { validateIngressClass } from './ingress-class.rules.ts'

export const IngressClassParametersReference = message('io.k8s.api.networking.v1.IngressClassParametersReference', {
  apiGroup: optional(1, string, 'The API group; empty for the core one.'),
  kind: required(2, string, 'The kind of the parameters.'),
  name: required(3, string, 'The name of the parameters.'),
  scope: defaulted(4, string, 'Cluster', 'Whether they are of the cluster or of a namespace.'),
  namespace: optional(5, string, 'Their namespace, if they are of one.'),
})
export interface IngressClassParametersReference extends StoredOf<typeof IngressClassParametersReference> {}

export const IngressClassSpec = message('io.k8s.api.networking.v1.IngressClassSpec', {
  controller: omitempty(1, string, 'Who serves ingresses of this class.'),
  parameters: optional(2, IngressClassParametersReference, 'Details for the controller.'),
})
export interface IngressClassSpec extends StoredOf<typeof IngressClassSpec> {}

export interface IngressClass extends ObjectWith<{ spec: IngressClassSpec }> {}

export const IngressClass = defineKind({
  documentation: 'A sort of ingress, and who serves it.',
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.networking.v1',
  generation: true,
  spec: IngressClassSpec,
  columns: [
    nameColumn,
    { name: 'Controller', description: 'Controller that is responsible for handling this class', of: ({ spec }) => spec.controller ?? '' },
    {
      name: 'Parameters',
      description: 'A reference to a resource with additional parameters',
      of: ({ spec: { parameters } }) => (parameters ? parametersText(parameters) : NONE),
    },
    ageColumn,
  ],
  validate: validateIngressClass,
  validateUpdate: ({ spec }, old, errors) =>
    validateImmutable(spec.controller ?? '', old.spec.controller ?? '', errors.at('spec').at('controller')),
})

function parametersText({ apiGroup, kind, name }: IngressClassParametersReference): string {
  return `${apiGroup ? `${kind}.${apiGroup}` : kind}/${name}`
}
