import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isDNS1035Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { conditions } from '../../meta/v1/conditions.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'

export const GroupResource = message('io.k8s.apimachinery.pkg.apis.meta.v1.GroupResource', {
  group: required(1, string, 'The group; empty is the core group.'),
  resource: required(2, string, 'The resource, in plural.'),
})
export interface GroupResource extends StoredOf<typeof GroupResource> {}

export const StorageVersionMigrationSpec = message('io.k8s.api.storagemigration.v1beta1.StorageVersionMigrationSpec', {
  resource: required(1, GroupResource, 'Whose objects are written anew.'),
})
export interface StorageVersionMigrationSpec extends StoredOf<typeof StorageVersionMigrationSpec> {}

export const StorageVersionMigrationStatus = message('io.k8s.api.storagemigration.v1beta1.StorageVersionMigrationStatus', {
  conditions: omitempty(1, conditions, 'Whether it runs, has succeeded or has failed.'),
  resourceVersion: omitempty(2, string, 'What is older than this is written anew.'),
})
export interface StorageVersionMigrationStatus extends StoredOf<typeof StorageVersionMigrationStatus> {}

export interface StorageVersionMigration extends ObjectWith<{ spec: StorageVersionMigrationSpec; status: StorageVersionMigrationStatus }> {}

export const StorageVersionMigration = defineKind({
  documentation: 'That all objects of a resource are to be stored anew, in the version and the encryption of today.',
  group: 'storagemigration.k8s.io',
  version: 'v1beta1',
  kind: 'StorageVersionMigration',
  plural: 'storageversionmigrations',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storagemigration.v1beta1',
  subresources: [statusSubresource],
  generation: true,
  spec: StorageVersionMigrationSpec,
  status: StorageVersionMigrationStatus,
  columns: [
    nameColumn,
    {
      name: 'Resource',
      description: 'The resource that is being migrated.',
      of: ({ spec: { resource } }) => (resource.group === '' ? resource.resource : `${resource.resource}.${resource.group}`),
    },
    ageColumn,
  ],
  prepareCreate(migration) {
    migration.status = {}
  },
  validate({ spec: { resource } }, errors) {
    const at = errors.at('spec').at('resource')
    if (resource.resource === '') at.at('resource').required('resource is required to be set')
    else at.at('resource').invalidEach(resource.resource, isDNS1035Label(resource.resource))
    if (resource.group !== '') at.at('group').invalidEach(resource.group, isDNS1123Subdomain(resource.group))
  },
  validateUpdate({ spec, status }, old, errors, subresource) {
    if (subresource === '') return validateImmutable(spec.resource, old.spec.resource, errors.at('spec').at('resource'))
    const { resourceVersion } = old.status
    if (resourceVersion) validateImmutable(status.resourceVersion, resourceVersion, errors.at('status').at('resourceVersion'))
  },
})
