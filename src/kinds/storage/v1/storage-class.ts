import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { isQualifiedName } from '#machinery/meta/names.ts'
import { boolean, defaulted, list, map, omitempty, oneOf, optional, required, string } from '#machinery/schema/schema.ts'
import { PersistentVolumeReclaimPolicy } from '../../core/v1/persistent-volume-reclaim-policy.ts'
import { TopologySelectorTerm } from '../../core/v1/topology-selector-term.ts'
import { ageColumn, NAME_DESCRIPTION } from '../../meta/v1/columns.ts'
import { validateImmutable, validateWord } from '../../meta/v1/rules.ts'
import { validateParameters, validateTopologies } from './storage-class.rules.ts'

const fields = {
  provisioner: required(2, string, 'Who makes the volumes.'),
  parameters: omitempty(3, map(string), 'What the provisioner is told.'),
  reclaimPolicy: defaulted(4, PersistentVolumeReclaimPolicy, 'Delete', 'What becomes of a volume when its claim is gone.'),
  mountOptions: omitempty(5, list(string), 'Options of the mount.'),
  allowVolumeExpansion: optional(6, boolean, 'Whether volumes may grow.'),
  volumeBindingMode: defaulted(7, oneOf('Immediate', 'WaitForFirstConsumer'), 'Immediate', 'Whether to wait for the first pod.'),
  allowedTopologies: omitempty(8, list(TopologySelectorTerm), 'Where volumes may be made.'),
}

export interface StorageClass extends ObjectOfFields<typeof fields> {}

export const StorageClass = defineKind({
  documentation: 'A sort of storage.',
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.storage.v1',
  shortNames: ['sc'],
  deleteReturnsObject: true,
  fields,
  columns: [
    { name: 'Name', format: 'name', description: NAME_DESCRIPTION, of: nameText },
    { name: 'Provisioner', description: 'provisioner indicates the type of the provisioner.', of: ({ provisioner }) => provisioner },
    {
      name: 'ReclaimPolicy',
      description:
        'reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage class. Defaults to Delete.',
      of: ({ reclaimPolicy }) => reclaimPolicy,
    },
    {
      name: 'VolumeBindingMode',
      description:
        'volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, VolumeBindingImmediate is used. This field is only honored by servers that enable the VolumeScheduling feature.',
      of: ({ volumeBindingMode }) => volumeBindingMode,
    },
    {
      name: 'AllowVolumeExpansion',
      description: 'allowVolumeExpansion shows whether the storage class allow volume expand.',
      of: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn,
  ],
  validate(storageClass, errors) {
    const { provisioner, parameters, reclaimPolicy, volumeBindingMode } = storageClass
    if (provisioner === '') errors.at('provisioner').required()
    else errors.at('provisioner').invalidEach(provisioner, isQualifiedName(provisioner.toLowerCase()))
    validateParameters(parameters, true, errors.at('parameters'))
    if (!RECLAIM.includes(reclaimPolicy)) errors.at('reclaimPolicy').notSupported(reclaimPolicy, RECLAIM)
    validateWord(volumeBindingMode, ['Immediate', 'WaitForFirstConsumer'], errors.at('volumeBindingMode'))
    validateTopologies(storageClass, errors.at('allowedTopologies'))
  },
  validateUpdate({ provisioner, parameters, reclaimPolicy, volumeBindingMode }, old, errors) {
    if (!equal(parameters, old.parameters)) errors.at('parameters').forbidden('updates to parameters are forbidden.')
    if (provisioner !== old.provisioner) errors.at('provisioner').forbidden('updates to provisioner are forbidden.')
    validateImmutable(reclaimPolicy, old.reclaimPolicy, errors.at('reclaimPolicy'))
    validateImmutable(volumeBindingMode, old.volumeBindingMode, errors.at('volumeBindingMode'))
  },
})

function nameText({ metadata }: StorageClass): string {
  return isDefault(metadata.annotations) ? `${metadata.name} (default)` : (metadata.name ?? '')
}

/** Whether claims that name no class get this one. */
export function isDefault(annotations: Readonly<Record<string, string>> | undefined): boolean {
  return (
    annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ||
    annotations?.['storageclass.beta.kubernetes.io/is-default-class'] === 'true'
  )
}

const RECLAIM = ['Delete', 'Retain']
