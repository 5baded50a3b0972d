import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { boolean, list, listMap, omitempty, optional } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { LocalObjectReference, ObjectReference } from './object-reference.ts'

const fields = {
  secrets: omitempty(
    2,
    listMap(ObjectReference, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
    'Secrets that its pods may use.',
  ),
  imagePullSecrets: omitempty(3, list(LocalObjectReference), 'Secrets with which its pods pull images.'),
  automountServiceAccountToken: optional(4, boolean, 'Whether its pods get a token.'),
}

export interface ServiceAccount extends ObjectOfFields<typeof fields> {}

export const ServiceAccount = defineKind({
  documentation: 'An identity for pods.',
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  plural: 'serviceaccounts',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['sa'],
  subresources: [{ name: 'token', verbs: ['create'], kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' } }],
  deleteReturnsObject: true,
  fields,
  columns: [nameColumn, ageColumn],
  warnings: ({ metadata }) =>
    metadata.annotations?.['kubernetes.io/enforce-mountable-secrets'] === undefined
      ? []
      : [
          'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
        ],
})
