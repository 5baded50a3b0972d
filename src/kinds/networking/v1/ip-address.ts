import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { message, needed, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { nameColumn } from '../../meta/v1/columns.ts'

export const ParentReference = message('io.k8s.api.networking.v1.ParentReference', {
  group: omitempty(1, string),
  resource: required(2, string),
  namespace: omitempty(3, string),
  name: required(4, string),
})
export interface ParentReference extends StoredOf<typeof ParentReference> {}

export const IPAddressSpec = message('io.k8s.api.networking.v1.IPAddressSpec', {
  parentRef: needed(1, ParentReference),
})
export interface IPAddressSpec extends StoredOf<typeof IPAddressSpec> {}

export interface IPAddress extends ObjectWith<{ spec: IPAddressSpec }> {}

export const IPAddress = defineKind({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.networking.v1',
  shortNames: ['ip'],
  spec: IPAddressSpec,
  columns: [nameColumn, { name: 'ParentRef', of: ({ spec }) => parentText(spec.parentRef) }],
})

function parentText({ group, resource, namespace, name }: ParentReference): string {
  const parent = group ? `${resource}.${group}` : resource
  return `${parent}/${namespace ? `${namespace}/` : ''}${name}`
}
