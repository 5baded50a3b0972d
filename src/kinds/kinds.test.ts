import { describe, expect, it } from 'vitest'
import { ALL_VERBS, type AnyKind } from '#machinery/kind/kind.ts'
import { type AnySchema, shapeOf } from '#machinery/schema/schema.ts'
import { builtInKinds, subresourceKinds } from './kinds.ts'
import { optionalKinds } from './optional-kinds.ts'

/** apiVersion, kind, plural, scope and verbs | short names | categories | subresources (get, patch and update unless said otherwise). */
const SERVED = `
admissionregistration.k8s.io/v1 MutatingAdmissionPolicy mutatingadmissionpolicies Cluster all | | api-extensions |
admissionregistration.k8s.io/v1 MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings Cluster all | | api-extensions |
admissionregistration.k8s.io/v1 MutatingWebhookConfiguration mutatingwebhookconfigurations Cluster all | | api-extensions |
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicy validatingadmissionpolicies Cluster all | | api-extensions | status
admissionregistration.k8s.io/v1 ValidatingAdmissionPolicyBinding validatingadmissionpolicybindings Cluster all | | api-extensions |
admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration validatingwebhookconfigurations Cluster all | | api-extensions |
apiextensions.k8s.io/v1 CustomResourceDefinition customresourcedefinitions Cluster all | crd crds | api-extensions | status
apiregistration.k8s.io/v1 APIService apiservices Cluster all | | api-extensions | status
apps/v1 ControllerRevision controllerrevisions Namespaced all | | |
apps/v1 DaemonSet daemonsets Namespaced all | ds | all | status
apps/v1 Deployment deployments Namespaced all | deploy | all | scale status
apps/v1 ReplicaSet replicasets Namespaced all | rs | all | scale status
apps/v1 StatefulSet statefulsets Namespaced all | sts | all | scale status
authentication.k8s.io/v1 SelfSubjectReview selfsubjectreviews Cluster create | | |
authentication.k8s.io/v1 TokenReview tokenreviews Cluster create | | |
authorization.k8s.io/v1 LocalSubjectAccessReview localsubjectaccessreviews Namespaced create | | |
authorization.k8s.io/v1 SelfSubjectAccessReview selfsubjectaccessreviews Cluster create | | |
authorization.k8s.io/v1 SelfSubjectRulesReview selfsubjectrulesreviews Cluster create | | |
authorization.k8s.io/v1 SubjectAccessReview subjectaccessreviews Cluster create | | |
autoscaling/v1 HorizontalPodAutoscaler horizontalpodautoscalers Namespaced all | hpa | all | status
autoscaling/v2 HorizontalPodAutoscaler horizontalpodautoscalers Namespaced all | hpa | all | status
batch/v1 CronJob cronjobs Namespaced all | cj | all | status
batch/v1 Job jobs Namespaced all | | all | status
certificates.k8s.io/v1 CertificateSigningRequest certificatesigningrequests Cluster all | csr | | approval status
coordination.k8s.io/v1 Lease leases Namespaced all | | |
discovery.k8s.io/v1 EndpointSlice endpointslices Namespaced all | | |
events.k8s.io/v1 Event events Namespaced all | ev | |
flowcontrol.apiserver.k8s.io/v1 FlowSchema flowschemas Cluster all | | | status
flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration prioritylevelconfigurations Cluster all | | | status
networking.k8s.io/v1 IngressClass ingressclasses Cluster all | | |
networking.k8s.io/v1 Ingress ingresses Namespaced all | ing | | status
networking.k8s.io/v1 IPAddress ipaddresses Cluster all | ip | |
networking.k8s.io/v1 NetworkPolicy networkpolicies Namespaced all | netpol | |
networking.k8s.io/v1 ServiceCIDR servicecidrs Cluster all | | | status
node.k8s.io/v1 RuntimeClass runtimeclasses Cluster all | | |
policy/v1 PodDisruptionBudget poddisruptionbudgets Namespaced all | pdb | | status
rbac.authorization.k8s.io/v1 ClusterRoleBinding clusterrolebindings Cluster all | | |
rbac.authorization.k8s.io/v1 ClusterRole clusterroles Cluster all | | |
rbac.authorization.k8s.io/v1 RoleBinding rolebindings Namespaced all | | |
rbac.authorization.k8s.io/v1 Role roles Namespaced all | | |
resource.k8s.io/v1 DeviceClass deviceclasses Cluster all | | |
resource.k8s.io/v1 ResourceClaim resourceclaims Namespaced all | | | status
resource.k8s.io/v1 ResourceClaimTemplate resourceclaimtemplates Namespaced all | | |
resource.k8s.io/v1 ResourceSlice resourceslices Cluster all | | |
scheduling.k8s.io/v1 PriorityClass priorityclasses Cluster all | pc | |
storage.k8s.io/v1 CSIDriver csidrivers Cluster all | | |
storage.k8s.io/v1 CSINode csinodes Cluster all | | |
storage.k8s.io/v1 CSIStorageCapacity csistoragecapacities Namespaced all | | |
storage.k8s.io/v1 StorageClass storageclasses Cluster all | sc | |
storage.k8s.io/v1 VolumeAttachment volumeattachments Cluster all | | | status
storage.k8s.io/v1 VolumeAttributesClass volumeattributesclasses Cluster all | vac | |
v1 Binding bindings Namespaced create | | |
v1 ComponentStatus componentstatuses Cluster get,list | cs | |
v1 ConfigMap configmaps Namespaced all | cm | |
v1 Endpoints endpoints Namespaced all | ep | |
v1 Event events Namespaced all | ev | |
v1 LimitRange limitranges Namespaced all | limits | |
v1 Namespace namespaces Cluster create,delete,get,list,patch,update,watch | ns | | finalize:update status
v1 Node nodes Cluster all | no | | proxy:create,delete,get,patch,update status
v1 PersistentVolumeClaim persistentvolumeclaims Namespaced all | pvc | | status
v1 PersistentVolume persistentvolumes Cluster all | pv | | status
v1 Pod pods Namespaced all | po | all | attach:create,get binding:create ephemeralcontainers eviction:create exec:create,get log:get portforward:create,get proxy:create,delete,get,patch,update resize status
v1 PodTemplate podtemplates Namespaced all | | |
v1 ReplicationController replicationcontrollers Namespaced all | rc | all | scale status
v1 ResourceQuota resourcequotas Namespaced all | quota | | status
v1 Secret secrets Namespaced all | | |
v1 ServiceAccount serviceaccounts Namespaced all | sa | | token:create
v1 Service services Namespaced all | svc | all | proxy:create,delete,get,patch,update status
`

/** Those that are served where they are asked for. */
const OPTIONAL = `
admissionregistration.k8s.io/v1alpha1 MutatingAdmissionPolicy mutatingadmissionpolicies Cluster all | | api-extensions |
admissionregistration.k8s.io/v1alpha1 MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings Cluster all | | api-extensions |
admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicy mutatingadmissionpolicies Cluster all | | api-extensions |
admissionregistration.k8s.io/v1beta1 MutatingAdmissionPolicyBinding mutatingadmissionpolicybindings Cluster all | | api-extensions |
certificates.k8s.io/v1alpha1 ClusterTrustBundle clustertrustbundles Cluster all | | |
certificates.k8s.io/v1beta1 ClusterTrustBundle clustertrustbundles Cluster all | | |
certificates.k8s.io/v1beta1 PodCertificateRequest podcertificaterequests Namespaced all | | | status
coordination.k8s.io/v1alpha2 LeaseCandidate leasecandidates Namespaced all | | |
coordination.k8s.io/v1beta1 LeaseCandidate leasecandidates Namespaced all | | |
internal.apiserver.k8s.io/v1alpha1 StorageVersion storageversions Cluster all | | | status
networking.k8s.io/v1beta1 IPAddress ipaddresses Cluster all | ip | |
networking.k8s.io/v1beta1 ServiceCIDR servicecidrs Cluster all | | | status
resource.k8s.io/v1alpha3 DeviceTaintRule devicetaintrules Cluster all | | | status
resource.k8s.io/v1alpha3 ResourcePoolStatusRequest resourcepoolstatusrequests Cluster all | | | status
resource.k8s.io/v1beta1 DeviceClass deviceclasses Cluster all | | |
resource.k8s.io/v1beta1 ResourceClaim resourceclaims Namespaced all | | | status
resource.k8s.io/v1beta1 ResourceClaimTemplate resourceclaimtemplates Namespaced all | | |
resource.k8s.io/v1beta1 ResourceSlice resourceslices Cluster all | | |
resource.k8s.io/v1beta2 DeviceClass deviceclasses Cluster all | | |
resource.k8s.io/v1beta2 DeviceTaintRule devicetaintrules Cluster all | | | status
resource.k8s.io/v1beta2 ResourceClaim resourceclaims Namespaced all | | | status
resource.k8s.io/v1beta2 ResourceClaimTemplate resourceclaimtemplates Namespaced all | | |
resource.k8s.io/v1beta2 ResourceSlice resourceslices Cluster all | | |
scheduling.k8s.io/v1alpha2 PodGroup podgroups Namespaced all | | | status
scheduling.k8s.io/v1alpha2 Workload workloads Namespaced all | | |
storage.k8s.io/v1beta1 VolumeAttributesClass volumeattributesclasses Cluster all | vac | |
storagemigration.k8s.io/v1beta1 StorageVersionMigration storageversionmigrations Cluster all | | | status
`

describe('built-in kinds', () => {
  const linesOf = (text: string) =>
    text
      .trim()
      .split('\n')
      .map(line => [line.split(' ', 2).join(' '), line] as const)
  const expected = new Map([...linesOf(SERVED), ...linesOf(OPTIONAL)])
  const declared = new Map([...builtInKinds, ...optionalKinds].map(kind => [`${kind.apiVersion} ${kind.kind}`, kind]))

  it('are those of the release', () => {
    expect([...declared.keys()].sort()).toEqual([...expected.keys()].sort())
  })

  it.each([...expected])('%s', (name, line) => {
    expect(describeKind(declared.get(name)!)).toBe(line)
  })

  it('have singular names in lower case', () => {
    for (const { kind, singular } of builtInKinds) expect(singular).toBe(kind.toLowerCase())
  })

  it('say of each of their fields what it is for', () => {
    expect(undescribed([...builtInKinds, ...subresourceKinds, ...optionalKinds])).toEqual([])
  })
})

/** Fields without a description, at any depth: `io.k8s.api.core.v1.PodSpec.nodeName`. */
function undescribed(kinds: readonly AnyKind[]): string[] {
  const seen = new Set<unknown>()
  const visit = (schema: AnySchema): string[] => {
    const shape = shapeOf(schema)
    if (shape.type === 'list' || shape.type === 'map') return visit(shape.of)
    if (shape.type === 'raw' && shape.objects) return visit(shape.objects())
    if (shape.type !== 'message' || seen.has(shape)) return []
    seen.add(shape)
    return Object.entries(shape.fields).flatMap(([name, { documentation, schema: of }]) => [
      ...(documentation === '' ? [`${shape.name}.${name}`] : []),
      ...visit(of),
    ])
  }
  return kinds.flatMap(({ schema }) => visit(schema))
}

function describeKind({ apiVersion, kind, plural, scope, verbs, shortNames, categories, subresources }: AnyKind): string {
  const said = verbs.length === ALL_VERBS.length ? 'all' : [...verbs].join(',')
  const below = [...subresources].sort((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, verbs }) => subresourceText(name, [...verbs]))
  const parts = [`${apiVersion} ${kind} ${plural} ${scope} ${said}`, shortNames.join(' '), categories.join(' '), below.join(' ')]
  return parts.join(' | ').replaceAll('  ', ' ').trimEnd()
}

function subresourceText(name: string, verbs: readonly string[]): string {
  const text = verbs.join(',')
  return text === 'get,patch,update' ? name : `${name}:${text}`
}
