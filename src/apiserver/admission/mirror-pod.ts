import { allContainers } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'

/** What other objects of the API a pod refers to, in a word; a mirror pod refers to none: by them, a node would come to read them. */
export function foreignReference({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return 'a service account'
  const volumes = spec.volumes ?? []
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? [])
  const containers = [...allContainers(spec)]
  const environment = containers.flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom ?? []))
  const wholes = containers.flatMap(({ envFrom = [] }) => envFrom)
  if (
    spec.imagePullSecrets?.length ||
    volumes.some(volume => SECRET_VOLUMES.some(source => hasSecret(volume[source]))) ||
    volumes.some(({ secret }) => secret) ||
    sources.some(({ secret }) => secret) ||
    environment.some(({ secretKeyRef }) => secretKeyRef) ||
    wholes.some(({ secretRef }) => secretRef)
  ) {
    return 'secrets'
  }
  if (
    volumes.some(({ configMap }) => configMap) ||
    sources.some(({ configMap }) => configMap) ||
    environment.some(({ configMapKeyRef }) => configMapKeyRef) ||
    wholes.some(({ configMapRef }) => configMapRef)
  ) {
    return 'configmaps'
  }
  if (sources.some(({ clusterTrustBundle }) => clusterTrustBundle)) return 'clustertrustbundles'
  if (sources.some(({ podCertificate }) => podCertificate)) return 'podcertificates'
  if (spec.resourceClaims?.length) return 'resourceclaims'
  return volumes.some(({ persistentVolumeClaim }) => persistentVolumeClaim) ? 'persistentvolumeclaims' : undefined
}

const SECRET_VOLUMES = ['cephfs', 'cinder', 'flexVolume', 'rbd', 'scaleIO', 'iscsi', 'storageos', 'azureFile', 'csi'] as const

function hasSecret(source: object | undefined): boolean {
  if (!source) return false
  return ['secretRef', 'secretName', 'nodePublishSecretRef'].some(field => (source as Record<string, unknown>)[field] !== undefined)
}
