import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  boolean,
  defaulted,
  int64,
  list,
  listSet,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { validateCSIDriver, validateCSIDriverUpdate } from './csi-driver.rules.ts'

export const TokenRequest = message('io.k8s.api.storage.v1.TokenRequest', {
  audience: required(1, string, 'For whom the token is meant.'),
  expirationSeconds: optional(2, int64, 'After how many seconds it runs out.'),
})
export interface TokenRequest extends StoredOf<typeof TokenRequest> {}

export const CSIDriverSpec = message('io.k8s.api.storage.v1.CSIDriverSpec', {
  attachRequired: defaulted(1, boolean, true, 'Whether volumes are attached before they are mounted.'),
  podInfoOnMount: defaulted(2, boolean, false, 'Whether the driver is told about the pod.'),
  volumeLifecycleModes: defaulted(
    3,
    listSet(oneOf('Persistent', 'Ephemeral')),
    ['Persistent'],
    'Whether it makes lasting volumes, ephemeral ones, or both.',
    'value',
  ),
  storageCapacity: defaulted(4, boolean, false, 'Whether it says how much storage is left.'),
  fsGroupPolicy: defaulted(
    5,
    oneOf('ReadWriteOnceWithFSType', 'File', 'None'),
    'ReadWriteOnceWithFSType',
    'Whether ownership of volumes is changed.',
  ),
  tokenRequests: omitempty(6, list(TokenRequest), 'Tokens that the driver is given.'),
  requiresRepublish: defaulted(7, boolean, false, 'Whether volumes are mounted again and again.'),
  seLinuxMount: defaulted(8, boolean, false, 'Whether it mounts with an SELinux context.'),
  nodeAllocatableUpdatePeriodSeconds: optional(9, int64),
  serviceAccountTokenInSecrets: optional(10, boolean),
  preventPodSchedulingIfMissing: optional(11, boolean),
})
export interface CSIDriverSpec extends StoredOf<typeof CSIDriverSpec> {}

export interface CSIDriver extends ObjectWith<{ spec: CSIDriverSpec }> {}

export const CSIDriver = defineKind({
  documentation: 'A storage driver.',
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storage.v1',
  unconditionalUpdate: false,
  deleteReturnsObject: true,
  generation: true,
  spec: CSIDriverSpec,
  columns: [
    nameColumn,
    { name: 'AttachRequired', type: 'boolean', of: ({ spec }) => spec.attachRequired },
    { name: 'PodInfoOnMount', type: 'boolean', of: ({ spec }) => spec.podInfoOnMount },
    { name: 'StorageCapacity', type: 'boolean', of: ({ spec }) => spec.storageCapacity },
    { name: 'TokenRequests', of: ({ spec }) => (spec.tokenRequests ?? []).map(({ audience }) => audience).join(',') || '<unset>' },
    { name: 'RequiresRepublish', type: 'boolean', of: ({ spec }) => spec.requiresRepublish },
    { name: 'Modes', of: ({ spec }) => spec.volumeLifecycleModes.join(',') || NONE },
    ageColumn,
  ],
  validate: validateCSIDriver,
  validateUpdate: validateCSIDriverUpdate,
  // Its generation begins to be counted with the first change.
  prepareCreate({ metadata }) {
    delete metadata.generation
  },
})
