import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isDNS1123Subdomain, isPathSegmentName } from '#machinery/meta/names.ts'
import { FIELD_IMMUTABLE } from '#machinery/meta/validate-object-meta.ts'
import { message, needed, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { parseIP, textOfIP, withoutZeros } from '../../meta/v1/ip.ts'
import { internal } from '../../meta/v1/rules.ts'

export const ParentReference = message('io.k8s.api.networking.v1.ParentReference', {
  group: omitempty(1, string, 'The API group of the object.'),
  resource: required(2, string, 'The resource of the object.'),
  namespace: omitempty(3, string, 'The namespace of the object.'),
  name: required(4, string, 'The name of the object.'),
})
export interface ParentReference extends StoredOf<typeof ParentReference> {}

export const IPAddressSpec = message('io.k8s.api.networking.v1.IPAddressSpec', {
  parentRef: needed(1, ParentReference, 'The object that uses the address.'),
})
export interface IPAddressSpec extends StoredOf<typeof IPAddressSpec> {}

export interface IPAddress extends ObjectWith<{ spec: IPAddressSpec }> {}

export const IPAddress = defineKind({
  documentation: 'An address that is in use.',
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.networking.v1',
  shortNames: ['ip'],
  spec: IPAddressSpec,
  columns: [
    nameColumn,
    {
      name: 'ParentRef',
      description: 'ParentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent object.',
      of: ({ spec }) => parentText(spec.parentRef),
    },
    { ...ageColumn, undeclared: true },
  ],
  validate({ spec }, errors) {
    const parent: ParentReference | undefined = spec.parentRef
    const at = errors.at('spec').at('parentRef')
    if (!parent) return at.required()
    if (parent.group) at.at('group').invalidEach(parent.group, isDNS1123Subdomain(parent.group))
    if (!parent.resource) at.at('resource').required()
    else at.at('resource').invalidEach(parent.resource, isPathSegmentName(parent.resource))
    if (!parent.name) at.at('name').required()
    else at.at('name').invalidEach(parent.name, isPathSegmentName(parent.name))
    if (parent.namespace) at.at('namespace').invalidEach(parent.namespace, isPathSegmentName(parent.namespace))
  },
  validateUpdate({ spec }, old, errors) {
    if (!equal(spec.parentRef, old.spec.parentRef)) errors.at('spec').at('parentRef').invalid(internal(spec.parentRef), FIELD_IMMUTABLE)
  },
  validateName: name => {
    const address = parseIP(name)
    if (!address)
      return [parseIP(withoutZeros(name)) ? 'must not have leading 0s' : 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']
    return textOfIP(address) === name ? [] : [`must be in canonical form ("${textOfIP(address)}")`]
  },
})

function parentText({ group, resource, namespace, name }: ParentReference): string {
  const parent = group ? `${resource}.${group}` : resource
  return `${parent}/${namespace ? `${namespace}/` : ''}${name}`
}
