import type { Informer, Informers } from '#client/informers/informer.ts'
import { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { VolumeAttachment } from '#kinds/storage/v1/volume-attachment.ts'
import type { Authorizer, Decision, ResourceAttributes } from '../authorizer.ts'
import { CLUSTER_ROLES } from '../rbac/cluster-roles.ts'
import { ruleAllows } from '../rbac/rule-match.ts'

/**
 * What a kubelet may do: what the `system:node` role says, narrowed to what has to do with its own node. A secret is readable by the nodes
 * that run a pod which names it, a lease by the node it is named after, and so on. Users are nodes by the name `system:node:<node>` and the
 * group `system:nodes`.
 */
export function nodeAuthorizer(informers: Informers): Authorizer {
  const pods = informers.of(Pod)
  pods.addIndex('node', pod => (pod.spec.nodeName ? [pod.spec.nodeName] : []))
  const volumes = informers.of(PersistentVolume)
  const claims = informers.of(PersistentVolumeClaim)
  claims.addIndex('volume', claim => (claim.spec.volumeName ? [claim.spec.volumeName] : []))
  const attachments = informers.of(VolumeAttachment)
  const resourceClaims = informers.of(ResourceClaim)
  const slices = informers.of(ResourceSlice)

  // Nodes ask now and then and have a hundred pods; what all pods of the cluster read would be filed anew with each of their changes.
  const isRead = (node: string, key: string) => pods.byIndex('node', node).some(pod => readsOf(pod).has(key))
  const isClaimed = (node: string, namespace: string, claim: string) =>
    pods.byIndex('node', node).some(pod => pod.metadata.namespace === namespace && claimsOf(pod).includes(claim))
  const related = (node: string, { resource, group, namespace, name }: ResourceAttributes): boolean => {
    if (group === 'storage.k8s.io') return attachments.get('', name)?.spec.nodeName === node
    if (group === 'resource.k8s.io') {
      return resourceClaims.get(namespace, name) !== undefined && isRead(node, `resourceclaims ${namespace}/${name}`)
    }
    if (resource === 'persistentvolumeclaims') return isClaimed(node, namespace, name)
    if (resource === 'persistentvolumes') return volumes.get('', name) !== undefined && volumeOnNode(node, name)
    if (isRead(node, `${resource} ${namespace}/${name}`)) return true
    return resource === 'secrets' && volumeSecretOnNode(volumes, volume => volumeOnNode(node, volume), namespace, name)
  }
  const volumeOnNode = (node: string, volume: string) =>
    claims.byIndex('volume', volume).some(({ metadata }) => isClaimed(node, metadata.namespace ?? '', metadata.name ?? ''))

  return {
    name: 'Node',
    authorize(attributes) {
      const { user } = attributes
      if (!user.groups.includes('system:nodes') || !user.name.startsWith(PREFIX)) return NO_OPINION
      const node = user.name.slice(PREFIX.length)
      if ('path' in attributes) return NO_OPINION
      return decide(attributes, node, related, pods, slices)
    },
    // What a node may do depends on its pods.
    rulesFor: ({ name, groups }) =>
      groups.includes('system:nodes') && name.startsWith(PREFIX)
        ? {
            resourceRules: [],
            nonResourceRules: [],
            incomplete: true,
            problem: 'node authorizer does not support user rule resolution',
          }
        : undefined,
  }
}

const PREFIX = 'system:node:'
const NO_OPINION: Decision = { verdict: 'no opinion', reason: '' }
const ALLOW: Decision = { verdict: 'allow', reason: '' }
const refuse = (reason: string): Decision => ({ verdict: 'no opinion', reason })

type Related = (node: string, attributes: ResourceAttributes) => boolean

function decide(
  attributes: ResourceAttributes,
  node: string,
  related: Related,
  pods: Informer<Pod>,
  slices: Informer<ResourceSlice>,
): Decision {
  const { verb, group, resource, subresource, name, namespace } = attributes
  const what = group === '' ? resource : `${resource}.${group}`
  switch (what) {
    case 'secrets':
    case 'configmaps':
    case 'resourceclaims.resource.k8s.io':
      if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return refuse('can only read resources of this type')
      return byRelation(attributes, node, related)
    case 'persistentvolumeclaims':
      if (subresource === 'status' && (verb === 'update' || verb === 'patch')) return byRelation(attributes, node, related)
      return verb === 'get' ? byRelation(attributes, node, related) : refuse('can only get individual resources of this type')
    case 'persistentvolumes':
    case 'volumeattachments.storage.k8s.io':
      return verb === 'get' ? byRelation(attributes, node, related) : refuse('can only get individual resources of this type')
    case 'serviceaccounts':
      if (subresource === 'token' && verb === 'create') return byRelation(attributes, node, related)
      if (subresource === '' && verb === 'get') return byRelation(attributes, node, related)
      return refuse('can only create tokens for individual service accounts')
    case 'leases.coordination.k8s.io':
      if (namespace !== 'kube-node-lease') return refuse('can only access leases in the "kube-node-lease" system namespace')
      if (verb !== 'create' && name !== node) return refuse('can only access node lease with the same name as the requesting node')
      return ['get', 'create', 'update', 'patch', 'delete'].includes(verb)
        ? ALLOW
        : refuse('can only get, create, update, patch, or delete a node lease')
    case 'csinodes.storage.k8s.io':
      if (verb !== 'create' && name !== node) return refuse('can only access CSINode with the same name as the requesting node')
      return ['get', 'create', 'update', 'patch', 'delete'].includes(verb)
        ? ALLOW
        : refuse('can only get, create, update, patch, or delete a CSINode')
    case 'resourceslices.resource.k8s.io':
      return decideSlice(attributes, node, slices)
    case 'podcertificaterequests.certificates.k8s.io':
      return decideCertificateRequest(attributes, node)
    case 'nodes':
      return decideNode(attributes, node)
    case 'pods':
      return decidePod(attributes, node, pods)
    default:
      return byRole(attributes)
  }
}

function byRelation(attributes: ResourceAttributes, node: string, related: Related): Decision {
  if (attributes.name === '') return refuse('No Object name found')
  return related(node, attributes) ? ALLOW : refuse(`no relationship found between node '${node}' and this object`)
}

/** A node's own devices. What a new slice says of its node is looked at by admission. */
function decideSlice({ verb, subresource, name, fieldSelector = '' }: ResourceAttributes, node: string, slices: Informer<ResourceSlice>) {
  if (subresource !== '') return refuse('cannot authorize ResourceSlice subresources')
  switch (verb) {
    case 'create':
      return ALLOW
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      return slices.get('', name)?.spec.nodeName === node ? ALLOW : refuse(`no relationship found between node '${node}' and this object`)
    case 'watch':
    case 'list':
    case 'deletecollection':
      return fieldSelector.split(',').includes(`spec.nodeName=${node}`)
        ? ALLOW
        : refuse('can only list/watch/deletecollection resourceslices with nodeName field selector')
    default:
      return refuse(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      )
  }
}

/** For whom a node asks is looked at by admission; it reads those that it has made. */
function decideCertificateRequest({ verb, subresource, fieldSelector = '' }: ResourceAttributes, node: string): Decision {
  if (subresource !== '') return refuse('nodes may not access the subresources of PodCertificateRequests')
  if (verb === 'create') return ALLOW
  if (verb !== 'list' && verb !== 'watch') return refuse('nodes may only create, list and watch PodCertificateRequests')
  const own = fieldSelector.split(',').includes(`spec.nodeName=${node}`)
  return own ? ALLOW : refuse('can only list/watch PodCertificateRequests with spec.nodeName field selector')
}

function decideNode(attributes: ResourceAttributes, node: string): Decision {
  const { verb, name } = attributes
  if (verb === 'create') return byRole(attributes)
  if (verb === 'list' || verb === 'watch') {
    const own = name === node || attributes.fieldSelector === `metadata.name=${node}`
    return own ? ALLOW : refuse(`node '${node}' cannot read all nodes, only its own Node object`)
  }
  if (verb === 'get') return name === node ? ALLOW : refuse(`node '${node}' cannot read '${name}', only its own Node object`)
  return byRole(attributes)
}

function decidePod(attributes: ResourceAttributes, node: string, pods: Informer<Pod>): Decision {
  const { verb, namespace, name, subresource } = attributes
  if (verb === 'get' && subresource === '') {
    return pods.get(namespace, name)?.spec.nodeName === node
      ? ALLOW
      : refuse(`no relationship found between node '${node}' and this object`)
  }
  if (verb === 'list' || verb === 'watch') {
    const own = (attributes.fieldSelector ?? '').split(',').includes(`spec.nodeName=${node}`)
    return own ? ALLOW : refuse(`can only list/watch pods with spec.nodeName field selector`)
  }
  return byRole(attributes)
}

function byRole(attributes: ResourceAttributes): Decision {
  return CLUSTER_ROLES['system:node']!.some(rule => ruleAllows(rule, attributes)) ? ALLOW : NO_OPINION
}

const knownReads = new WeakMap<Pod, ReadonlySet<string>>()

/** `<resource> <namespace>/<name>` of everything that a pod has its node read. */
function readsOf(pod: Pod): ReadonlySet<string> {
  const known = knownReads.get(pod)
  if (known) return known
  const { namespace } = pod.metadata
  const reads = new Set<string>()
  knownReads.set(pod, reads)
  const add = (resource: string, name: string | undefined) => {
    if (name) reads.add(`${resource} ${namespace}/${name}`)
  }
  add('serviceaccounts', pod.spec.serviceAccountName)
  for (const secret of pod.spec.imagePullSecrets ?? []) add('secrets', secret.name)
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])]) {
    for (const variable of container.env ?? []) {
      add('secrets', variable.valueFrom?.secretKeyRef?.name)
      add('configmaps', variable.valueFrom?.configMapKeyRef?.name)
    }
    for (const source of container.envFrom ?? []) {
      add('secrets', source.secretRef?.name)
      add('configmaps', source.configMapRef?.name)
    }
  }
  for (const volume of pod.spec.volumes ?? []) {
    add('secrets', volume.secret?.secretName)
    add('configmaps', volume.configMap?.name)
    for (const source of volume.projected?.sources ?? []) {
      add('secrets', source.secret?.name)
      add('configmaps', source.configMap?.name)
    }
    for (const name of secretsOfVolume(volume)) add('secrets', name)
  }
  for (const claim of pod.status.resourceClaimStatuses ?? []) add('resourceclaims', claim.resourceClaimName)
  for (const claim of pod.spec.resourceClaims ?? []) add('resourceclaims', claim.resourceClaimName)
  return reads
}

/** The secrets that drivers of a volume are given. */
function secretsOfVolume(volume: NonNullable<Pod['spec']['volumes']>[number]): (string | undefined)[] {
  return [
    volume.csi?.nodePublishSecretRef?.name,
    volume.cephfs?.secretRef?.name,
    volume.flexVolume?.secretRef?.name,
    volume.iscsi?.secretRef?.name,
    volume.rbd?.secretRef?.name,
    volume.scaleIO?.secretRef?.name,
    volume.storageos?.secretRef?.name,
    volume.azureFile?.secretName,
  ]
}

function claimsOf(pod: Pod): string[] {
  return (pod.spec.volumes ?? []).flatMap(volume => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName]
    return volume.ephemeral ? [`${pod.metadata.name}-${volume.name}`] : []
  })
}

/** Whether a secret belongs to a persistent volume which a pod of the node mounts. */
function volumeSecretOnNode(
  volumes: Informer<PersistentVolume>,
  onNode: (volume: string) => boolean,
  namespace: string,
  name: string,
): boolean {
  return volumes.list().some(volume => {
    const { csi } = volume.spec
    const secrets = [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef]
    return secrets.some(secret => secret?.name === name && secret.namespace === namespace) && onNode(volume.metadata.name ?? '')
  })
}
