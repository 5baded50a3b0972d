import type { Informers } from '#client/informers/informer.ts'
import type { TokenRequest } from '#kinds/authentication/v1/token-request.ts'
import { Node } from '#kinds/core/v1/node.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { MIRROR_ANNOTATION } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { forbidden, notFound } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Authorizer } from '../authorization/authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { foreignReference } from './mirror-pod.ts'
import { certificateRequestProblem } from './node-certificate-request.ts'
import { forbiddenLabels } from './node-labels.ts'
import { audienceProblem } from './node-token-audience.ts'

/** Holds kubelets to what is theirs: their own node and lease, the pods that run on it, and no labels or taints that draw pods to it. */
export function nodeRestriction(informers: () => Informers, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    admit(request) {
      const { name, groups } = request.user
      if (!groups.includes('system:nodes') || !name.startsWith('system:node:')) return
      const node = name.slice('system:node:'.length)
      const enforce = (why: string | undefined) => {
        if (why !== undefined) throw forbidden({ group: request.kind.group, resource: request.kind.plural }, nameOf(request), why)
      }
      const problem = problemOf(request, node, informers, authorizer)
      return problem instanceof Promise ? problem.then(enforce) : enforce(problem)
    },
  }
}

function problemOf(
  request: AdmissionRequest,
  node: string,
  informers: () => Informers,
  authorizer: Authorizer,
): string | undefined | Promise<string | undefined> {
  const { kind, subresource } = request
  switch (`${kind.group}/${kind.plural}/${subresource}`) {
    case '/pods/':
      return ofPod(request, node, informers)
    case '/pods/status':
      return ofPodStatus(request, node)
    case '/pods/eviction': {
      const runsOn = podOf(request, nameOf(request), informers).spec.nodeName
      return runsOn === node ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`
    }
    case '/nodes/':
    case '/nodes/status':
      return ofNode(request, node)
    case '/persistentvolumeclaims/status':
      return ofClaimStatus(request, node)
    case '/serviceaccounts/token':
      return ofToken(request, node, informers, authorizer)
    case 'coordination.k8s.io/leases/':
      if (request.namespace !== 'kube-node-lease') return 'can only access leases in the "kube-node-lease" system namespace'
      return nameOf(request) === node ? undefined : 'can only access node lease with the same name as the requesting node'
    case 'storage.k8s.io/csinodes/':
      return nameOf(request) === node ? undefined : 'can only access CSINode with the same name as the requesting node'
    case 'resource.k8s.io/resourceslices/':
      return ofSlice(request, node)
    case 'certificates.k8s.io/podcertificaterequests/':
    case 'certificates.k8s.io/podcertificaterequests/status':
      return certificateRequestProblem(request, node, informers)
    default:
      return undefined
  }
}

function nameOf({ operation, name, object }: AdmissionRequest): string {
  return operation === 'CREATE' ? (object?.metadata.name ?? name) : name
}

function podOf({ namespace }: AdmissionRequest, name: string, informers: () => Informers): Pod {
  const pod = informers().of(Pod).get(namespace, name)
  if (!pod) throw notFound({ group: '', resource: 'pods' }, name)
  return pod
}

function ofPod({ operation, object, old }: AdmissionRequest, node: string, informers: () => Informers): string | undefined {
  if (operation === 'DELETE') {
    const isOwn = (old as Pod).spec.nodeName === node
    return isOwn ? undefined : `node ${quote(node)} can only delete pods with spec.nodeName set to itself`
  }
  if (operation !== 'CREATE') return `unexpected operation ${quote(operation)}, node ${quote(node)} can only create and delete mirror pods`
  const pod = object as unknown as Pod
  const who = `node ${quote(node)}`
  if (pod.metadata.annotations?.[MIRROR_ANNOTATION] === undefined) {
    return `pod does not have ${quote(MIRROR_ANNOTATION)} annotation, ${who} can only create mirror pods`
  }
  if (pod.spec.nodeName !== node) return `${who} can only create pods with spec.nodeName set to itself`
  const owners = pod.metadata.ownerReferences ?? []
  if (owners.length > 1) return `${who} can only create pods with a single owner reference set to itself`
  const [owner] = owners
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    return `${who} can only create pods with an owner reference set to itself`
  }
  if (!owner.controller) return `${who} can only create pods with a controller owner reference set to itself`
  if (owner.blockOwnerDeletion) return `${who} must not set blockOwnerDeletion on an owner reference`
  const stored = informers().of(Node).get('', node)
  if (!stored) throw notFound({ group: '', resource: 'nodes' }, node)
  if (owner.uid !== stored.metadata.uid) return `node ${node} UID mismatch: expected ${owner.uid} got ${stored.metadata.uid}`
  const reference = foreignReference(pod)
  return reference && `${who} can not create pods that reference ${reference}`
}

function ofPodStatus({ operation, object, old }: AdmissionRequest, node: string): string | undefined {
  if (operation !== 'UPDATE') return `unexpected operation ${quote(operation)}`
  const pod = object as unknown as Pod
  const before = old as Pod
  if (before.spec.nodeName !== node) return `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`
  if (!equal(pod.metadata.labels ?? {}, before.metadata.labels ?? {})) return `node ${quote(node)} cannot update labels through pod status`
  const isSame = equal(pod.status.resourceClaimStatuses ?? [], before.status.resourceClaimStatuses ?? [])
  return isSame ? undefined : `node ${quote(node)} cannot update resource claim statues`
}

function ofNode(request: AdmissionRequest, node: string): string | undefined {
  const { operation, object, old } = request
  const name = nameOf(request)
  if (name !== node) return `node ${quote(node)} is not allowed to modify node ${quote(name)}`
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined
  if (operation === 'UPDATE' && !equal((object as unknown as Node).spec.taints ?? [], (old as Node).spec.taints ?? [])) {
    return `node ${quote(node)} is not allowed to modify taints`
  }
  const labels = forbiddenLabels(object?.metadata.labels, old?.metadata.labels).join(', ')
  if (labels === '') return undefined
  if (operation === 'CREATE') return `node ${quote(node)} is not allowed to set the following labels: ${labels}`
  return `is not allowed to modify labels: ${labels}`
}

function ofClaimStatus({ operation, object, old }: AdmissionRequest, node: string): string | undefined {
  if (operation !== 'UPDATE') return `unexpected operation ${quote(operation)}`
  const bare = (claim: ApiObject) => {
    const { status, metadata, ...rest } = draft(claim as PersistentVolumeClaim)
    const { resourceVersion: _, managedFields: __, ...kept } = metadata
    const { capacity: ___, conditions: ____, allocatedResources: _____, allocatedResourceStatuses: ______, ...others } = status
    return { ...rest, metadata: kept, status: others }
  }
  if (equal(bare(object as unknown as ApiObject), bare(old!))) return undefined
  return `node ${quote(node)} is not allowed to update fields other than status.capacity and status.conditions: the rest has changed`
}

function ofToken(
  request: AdmissionRequest,
  node: string,
  informers: () => Informers,
  authorizer: Authorizer,
): string | undefined | Promise<string | undefined> {
  if (request.operation !== 'CREATE') return undefined
  const reference = (request.object as unknown as TokenRequest).spec.boundObjectRef
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name) return 'node requested token not bound to a pod'
  if (!reference.uid) return 'node requested token with a pod binding without a uid'
  const pod = podOf(request, reference.name, informers)
  if (reference.uid !== pod.metadata.uid) {
    return `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`
  }
  if (pod.spec.nodeName !== node) return 'node requested token bound to a pod scheduled on a different node'
  return audienceProblem(request, pod, informers, authorizer)
}

function ofSlice({ operation, object, old }: AdmissionRequest, node: string): string | undefined {
  const nodeOf = (slice: unknown) => (slice as { spec?: { nodeName?: string } } | undefined)?.spec?.nodeName
  const isOwn = nodeOf(operation === 'CREATE' ? object : old) === node
  return isOwn ? undefined : `can only ${operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`
}
