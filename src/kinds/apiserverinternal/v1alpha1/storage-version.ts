import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isDNS1035Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { int64, listMap, listSet, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'

export const ServerStorageVersion = message('io.k8s.api.apiserverinternal.v1alpha1.ServerStorageVersion', {
  apiServerID: omitempty(1, string, 'The API server.'),
  encodingVersion: omitempty(2, string, 'The version in which it writes.'),
  decodableVersions: omitempty(3, listSet(string), 'The versions that it reads.'),
  servedVersions: omitempty(4, listSet(string), 'The versions in which it serves.'),
})
export interface ServerStorageVersion extends StoredOf<typeof ServerStorageVersion> {}

export const StorageVersionCondition = message('io.k8s.api.apiserverinternal.v1alpha1.StorageVersionCondition', {
  type: required(1, string, 'What this is about.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  observedGeneration: omitempty(3, int64, 'The generation that this is about.'),
  lastTransitionTime: required(4, timeOrNull, 'When the status last changed.'),
  reason: required(5, string, 'What happened, in one word.'),
  message: required(6, string, 'What happened, for people.'),
})
export interface StorageVersionCondition extends StoredOf<typeof StorageVersionCondition> {}

export const StorageVersionSpec = message('io.k8s.api.apiserverinternal.v1alpha1.StorageVersionSpec', {})
export interface StorageVersionSpec extends StoredOf<typeof StorageVersionSpec> {}

export const StorageVersionStatus = message('io.k8s.api.apiserverinternal.v1alpha1.StorageVersionStatus', {
  storageVersions: omitempty(1, listMap(ServerStorageVersion, ['apiServerID']), 'What each API server says.'),
  commonEncodingVersion: omitempty(2, string, 'The version in which all of them write, if it is one.'),
  conditions: omitempty(3, listMap(StorageVersionCondition, ['type']), 'What holds of the object right now, one entry per aspect.'),
})
export interface StorageVersionStatus extends StoredOf<typeof StorageVersionStatus> {}

export interface StorageVersion extends ObjectWith<{ spec: StorageVersionSpec; status: StorageVersionStatus }> {}

export const StorageVersion = defineKind({
  documentation: 'The versions in which the API servers of a cluster store a resource.',
  group: 'internal.apiserver.k8s.io',
  version: 'v1alpha1',
  kind: 'StorageVersion',
  plural: 'storageversions',
  scope: 'Cluster',
  openapi: 'io.k8s.api.apiserverinternal.v1alpha1',
  subresources: [statusSubresource],
  status: StorageVersionStatus,
  fields: { spec: required(2, StorageVersionSpec, 'Nothing.') },
  columns: [
    nameColumn,
    {
      name: 'CommonEncodingVersion',
      description: 'Version that all API servers write.',
      of: ({ status }) => status.commonEncodingVersion ?? '<unset>',
    },
    {
      name: 'StorageVersions',
      description: 'What each API server writes.',
      of: ({ status }) => (status.storageVersions ?? []).map(one => `${one.apiServerID}=${one.encodingVersion}`).join(',') || '<unset>',
    },
    ageColumn,
  ],
  prepareCreate(version) {
    version.status = {}
  },
  /** `<group>.<resource>`. */
  validateName(name) {
    const dot = name.lastIndexOf('.')
    if (dot < 0) return ['name must be in the form of <group>.<resource>']
    return [
      ...isDNS1123Subdomain(name.slice(0, dot)).map(message => `the group segment ${message}`),
      ...isDNS1035Label(name.slice(dot + 1)).map(message => `the resource segment ${message}`),
    ]
  },
  validate({ status }, errors) {
    const at = errors.at('status')
    const seen = new Set<string>()
    status.storageVersions?.forEach(({ apiServerID = '', encodingVersion = '', decodableVersions = [] }, index) => {
      const one = at.at('storageVersions').index(index)
      if (seen.has(apiServerID)) one.at('apiServerID').duplicate(apiServerID)
      seen.add(apiServerID)
      one.at('apiServerID').invalidEach(apiServerID, isDNS1123Subdomain(apiServerID))
      if (!decodableVersions.includes(encodingVersion))
        one.invalid(null, `decodableVersions must include encodingVersion ${encodingVersion}`)
    })
  },
})
