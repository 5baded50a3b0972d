import { isDNS1123Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateNoBacksteps } from './path.rules.ts'
import type { PersistentVolumeSource } from './persistent-volume-spec.ts'
import type { VolumeSource } from './volume.ts'

/** The rules of storage that volumes of pods and persistent volumes name in the same words. */
export const backendRules = {
  hostPath({ path, type }, errors) {
    if (path === '') return errors.at('path').required()
    validateNoBacksteps(path, errors.at('path'))
    if (!HOST_PATH_TYPES.includes(type)) errors.at('type').notSupported(type, HOST_PATH_TYPES)
  },
  gcePersistentDisk({ pdName, partition = 0 }, errors) {
    required(pdName, errors.at('pdName'))
    validatePartition(partition, errors)
  },
  awsElasticBlockStore({ volumeID, partition = 0 }, errors) {
    required(volumeID, errors.at('volumeID'))
    validatePartition(partition, errors)
  },
  nfs({ server, path }, errors) {
    required(server, errors.at('server'))
    required(path, errors.at('path'))
    if (!path.startsWith('/')) errors.at('path').invalid(path, 'must be an absolute path')
  },
  iscsi(iscsi, errors) {
    required(iscsi.targetPortal, errors.at('targetPortal'))
    if (iscsi.iqn === '') errors.at('iqn').required()
    else validateInitiator(iscsi.iqn, errors.at('iqn'))
    if (iscsi.lun < 0 || iscsi.lun > 255) errors.at('lun').invalid(iscsi.lun, 'must be between 0 and 255, inclusive')
    if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !iscsi.secretRef) errors.at('secretRef').required()
    if (iscsi.initiatorName !== undefined) validateInitiator(iscsi.initiatorName, errors.at('initiatorname'))
  },
  glusterfs({ endpoints, path }, errors) {
    required(endpoints, errors.at('endpoints'))
    required(path, errors.at('path'))
  },
  flocker({ datasetName = '', datasetUUID = '' }, errors) {
    if (datasetName === '' && datasetUUID === '') errors.required('one of datasetName and datasetUUID is required')
    if (datasetName !== '' && datasetUUID !== '') {
      errors.invalid('resource', 'datasetName and datasetUUID can not be specified simultaneously')
    }
    if (datasetName.includes('/')) errors.at('datasetName').invalid(datasetName, "must not contain '/'")
  },
  rbd({ monitors, image }, errors) {
    if (monitors.length === 0) errors.at('monitors').required()
    required(image, errors.at('image'))
  },
  cinder({ volumeID, secretRef }, errors) {
    required(volumeID, errors.at('volumeID'))
    if (secretRef) required(secretRef.name ?? '', errors.at('secretRef').at('name'))
  },
  cephfs({ monitors }, errors) {
    if (monitors.length === 0) errors.at('monitors').required()
  },
  quobyte({ registry, tenant = '', volume }, errors) {
    const detail = 'must be a host:port pair or multiple pairs separated by commas'
    if (registry === '') errors.at('registry').required(detail)
    else if (tenant.length >= 65) errors.at('tenant').required('must be a UUID and may not exceed a length of 64 characters')
    else for (const pair of registry.split(',')) if (!/^([^:]*|\[.*\]):[^:]*$/.test(pair)) errors.at('registry').invalid(registry, detail)
    required(volume, errors.at('volume'))
  },
  fc({ targetWWNs = [], wwids = [], lun }, errors) {
    if (targetWWNs.length === 0 && wwids.length === 0) {
      errors.at('targetWWNs').required('must specify either targetWWNs or wwids, but not both')
    }
    if (targetWWNs.length === 0) return
    if (wwids.length > 0) errors.at('targetWWNs').invalid(targetWWNs, 'targetWWNs and wwids can not be specified simultaneously')
    if (lun === undefined) errors.at('lun').required('lun is required if targetWWNs is specified')
    else if (lun < 0 || lun > 255) errors.at('lun').invalid(lun, 'must be between 0 and 255, inclusive')
  },
  flexVolume({ driver, options }, errors) {
    required(driver, errors.at('driver'))
    for (const key of Object.keys(options ?? {}).sort()) {
      const owner = `.${key.split('/')[0]!.toLowerCase()}`
      if (owner.endsWith('.kubernetes.io') || owner.endsWith('.k8s.io')) {
        errors.at('options').key(key).invalid(key, 'kubernetes.io and k8s.io namespaces are reserved')
      }
    }
  },
  azureFile({ secretName, shareName }, errors) {
    required(secretName, errors.at('secretName'))
    required(shareName, errors.at('shareName'))
  },
  vsphereVolume({ volumePath }, errors) {
    required(volumePath, errors.at('volumePath'))
  },
  photonPersistentDisk({ pdID }, errors) {
    required(pdID, errors.at('pdID'))
  },
  portworxVolume({ volumeID }, errors) {
    required(volumeID, errors.at('volumeID'))
  },
  azureDisk({ diskName, diskURI, cachingMode, kind }, errors) {
    required(diskName, errors.at('diskName'))
    required(diskURI, errors.at('diskURI'))
    if (!CACHING.includes(cachingMode)) errors.at('cachingMode').notSupported(cachingMode, CACHING)
    if (!DISK_KINDS.includes(kind)) errors.at('kind').notSupported(kind, DISK_KINDS)
    const isManaged = kind === 'Managed'
    if (!diskURI.startsWith(isManaged ? '/subscriptions/' : 'https://')) {
      errors.at('diskURI').notSupported(diskURI, [isManaged ? MANAGED_URI : BLOB_URI])
    }
  },
  storageos({ volumeName = '', volumeNamespace = '', secretRef }, errors) {
    if (volumeName === '') errors.at('volumeName').required()
    else errors.at('volumeName').invalidEach(volumeName, isDNS1123Label(volumeName))
    if (volumeNamespace !== '') errors.at('volumeNamespace').invalidEach(volumeNamespace, isDNS1123Label(volumeNamespace))
    if (secretRef) required(secretRef.name ?? '', errors.at('secretRef').at('name'))
  },
  scaleIO({ gateway, system, volumeName = '' }, errors) {
    required(gateway, errors.at('gateway'))
    required(system, errors.at('system'))
    required(volumeName, errors.at('volumeName'))
  },
} satisfies Partial<Rules>

type Shared = keyof VolumeSource & keyof PersistentVolumeSource
type Source<K extends Shared> = NonNullable<VolumeSource[K]> | NonNullable<PersistentVolumeSource[K]>
type Rules = { readonly [K in Shared]-?: (source: Source<K>, errors: FieldErrors) => void }

/** A secret that belongs to a persistent volume: it must say in which namespace it is. */
export function validateSecretReference(
  { name = '', namespace = '' }: { readonly name?: string | undefined; readonly namespace?: string | undefined },
  errors: FieldErrors,
): void {
  if (name === '') errors.at('name').required()
  else errors.at('name').invalidEach(name, isDNS1123Subdomain(name))
  if (namespace === '') errors.at('namespace').required()
  else errors.at('namespace').invalidEach(namespace, isDNS1123Label(namespace))
}

function required(value: string, errors: FieldErrors): void {
  if (value === '') errors.required()
}

function validatePartition(partition: number, errors: FieldErrors): void {
  if (partition < 0 || partition > 255) errors.at('partition').invalid(partition, 'must be between 1 and 255, inclusive')
}

function validateInitiator(name: string, errors: FieldErrors): void {
  const form = INITIATORS.find(([prefix]) => name.startsWith(prefix))
  if (!form) errors.invalid(name, 'must be valid format starting with iqn, eui, or naa')
  else if (!form[1].test(name)) errors.invalid(name, 'must be valid format')
}

const INITIATORS: readonly (readonly [string, RegExp])[] = [
  ['iqn', /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9-.]+)(:[^,;*&$|\s]+)$/],
  ['eui', /^eui.[a-zA-Z0-9]{16}$/],
  ['naa', /^naa.[a-zA-Z0-9]{32}$/],
]
const HOST_PATH_TYPES = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']
const CACHING = ['None', 'ReadOnly', 'ReadWrite']
const DISK_KINDS = ['Dedicated', 'Managed', 'Shared']
const MANAGED_URI = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const BLOB_URI = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'
