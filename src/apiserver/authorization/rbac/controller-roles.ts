import { StorageVersion } from '#kinds/apiserverinternal/v1alpha1/storage-version.ts'
import { ClusterTrustBundle } from '#kinds/certificates/v1beta1/cluster-trust-bundle.ts'
import { PodCertificateRequest } from '#kinds/certificates/v1beta1/pod-certificate-request.ts'
import { ResourcePoolStatusRequest } from '#kinds/resource/v1alpha3/resource-pool-status-request.ts'
import { DeviceTaintRule } from '#kinds/resource/v1beta2/device-taint-rule.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { StorageVersionMigration } from '#kinds/storagemigration/v1beta1/storage-version-migration.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { EVENTS, type PolicyRule, rule } from './policy-rule.ts'

/**
 * What each controller may do, as upstream grants it to the service account of that name in kube-system: role and binding are both named
 * `system:controller:<name>`.
 */
export const CONTROLLER_ROLES: Readonly<Record<string, readonly PolicyRule[]>> = {
  'attachdetach-controller': [
    rule('list,watch', '', 'persistentvolumeclaims,persistentvolumes'),
    rule('get,list,watch', '', 'nodes'),
    rule('patch,update', '', 'nodes/status'),
    rule('list,watch', '', 'pods'),
    EVENTS,
    rule('create,delete,get,list,watch', 'storage.k8s.io', 'volumeattachments'),
    rule('get,list,watch', 'storage.k8s.io', 'csidrivers'),
    rule('get,list,watch', 'storage.k8s.io', 'csinodes'),
  ],
  'certificate-controller': [
    rule('delete,get,list,watch', 'certificates.k8s.io', 'certificatesigningrequests'),
    rule('update', 'certificates.k8s.io', 'certificatesigningrequests/approval,certificatesigningrequests/status'),
    rule('approve', 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-client-kubelet'),
    rule(
      'sign',
      'certificates.k8s.io',
      'signers',
      'kubernetes.io/kube-apiserver-client,kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown',
    ),
    rule('create', 'authorization.k8s.io', 'subjectaccessreviews'),
    EVENTS,
  ],
  'clusterrole-aggregation-controller': [rule('escalate,get,list,patch,update,watch', 'rbac.authorization.k8s.io', 'clusterroles')],
  'cronjob-controller': [
    rule('get,list,update,watch', 'batch', 'cronjobs'),
    rule('create,delete,get,list,patch,update,watch', 'batch', 'jobs'),
    rule('update', 'batch', 'cronjobs/status'),
    rule('update', 'batch', 'cronjobs/finalizers'),
    rule('delete,list,watch', '', 'pods'),
    EVENTS,
  ],
  'daemon-set-controller': [
    rule('get,list,watch', 'apps,extensions', 'daemonsets'),
    rule('update', 'apps,extensions', 'daemonsets/status'),
    rule('update', 'apps,extensions', 'daemonsets/finalizers'),
    rule('list,watch', '', 'nodes'),
    rule('create,delete,list,patch,watch', '', 'pods'),
    rule('create', '', 'pods/binding'),
    rule('create,delete,get,list,patch,update,watch', 'apps', 'controllerrevisions'),
    EVENTS,
  ],
  'deployment-controller': [
    rule('get,list,update,watch', 'apps,extensions', 'deployments'),
    rule('update', 'apps,extensions', 'deployments/status'),
    rule('update', 'apps,extensions', 'deployments/finalizers'),
    rule('create,delete,get,list,patch,update,watch', 'apps,extensions', 'replicasets'),
    rule('get,list,update,watch', '', 'pods'),
    EVENTS,
  ],
  'device-taint-eviction-controller': [
    rule('delete,get,list,watch', '', 'pods'),
    rule('patch,update', '', 'pods/status'),
    rule('get,list,watch', 'resource.k8s.io', 'resourceclaims'),
    rule('get,list,watch', 'resource.k8s.io', 'resourceslices'),
    rule('get,list,watch', 'resource.k8s.io', 'deviceclasses'),
    EVENTS,
  ],
  'disruption-controller': [
    rule('get,list,watch', 'apps,extensions', 'deployments'),
    rule('get,list,watch', 'apps,extensions', 'replicasets'),
    rule('get,list,watch', '', 'replicationcontrollers'),
    rule('get,list,watch', 'policy', 'poddisruptionbudgets'),
    rule('get,list,watch', 'apps', 'statefulsets'),
    rule('update', 'policy', 'poddisruptionbudgets/status'),
    rule('patch,update', '', 'pods/status'),
    rule('get', '*', '*/scale'),
    EVENTS,
  ],
  'endpoint-controller': [
    rule('get,list,watch', '', 'pods,services'),
    rule('create,delete,get,list,update,watch', '', 'endpoints'),
    rule('create', '', 'endpoints/restricted'),
    EVENTS,
  ],
  'endpointslice-controller': [
    rule('get,list,watch', '', 'nodes,pods,services'),
    rule('update', '', 'services/finalizers'),
    rule('create,delete,get,list,update,watch', 'discovery.k8s.io', 'endpointslices'),
    EVENTS,
  ],
  'endpointslicemirroring-controller': [
    rule('get,list,watch', '', 'endpoints,services'),
    rule('update', '', 'services/finalizers'),
    rule('update', '', 'endpoints/finalizers'),
    rule('create,delete,get,list,update,watch', 'discovery.k8s.io', 'endpointslices'),
    EVENTS,
  ],
  'ephemeral-volume-controller': [
    rule('get,list,watch', '', 'pods'),
    rule('update', '', 'pods/finalizers'),
    rule('create,get,list,watch', '', 'persistentvolumeclaims'),
    EVENTS,
  ],
  'expand-controller': [
    rule('get,list,patch,update,watch', '', 'persistentvolumes'),
    rule('patch,update', '', 'persistentvolumeclaims/status'),
    rule('get,list,watch', '', 'persistentvolumeclaims'),
    EVENTS,
  ],
  'generic-garbage-collector': [rule('delete,get,list,patch,update,watch', '*', '*'), EVENTS],
  'horizontal-pod-autoscaler': [
    rule('get,list,watch', 'autoscaling', 'horizontalpodautoscalers'),
    rule('update', 'autoscaling', 'horizontalpodautoscalers/status'),
    rule('get,update', '*', '*/scale'),
    rule('list,watch', '', 'pods'),
    rule('list,watch', 'metrics.k8s.io', 'pods'),
    rule('get,list,watch', 'custom.metrics.k8s.io', '*'),
    rule('get,list,watch', 'external.metrics.k8s.io', '*'),
    EVENTS,
  ],
  'job-controller': [
    rule('get,list,patch,update,watch', 'batch', 'jobs'),
    rule('update', 'batch', 'jobs/status'),
    rule('update', 'batch', 'jobs/finalizers'),
    rule('create,delete,list,patch,watch', '', 'pods'),
    EVENTS,
  ],
  'legacy-service-account-token-cleaner': [
    rule('get', '', 'configmaps', 'kube-apiserver-legacy-service-account-token-tracking'),
    rule('delete,patch', '', 'secrets'),
  ],
  'namespace-controller': [
    rule('delete,get,list,watch', '', 'namespaces'),
    rule('update', '', 'namespaces/finalize,namespaces/status'),
    rule('delete,deletecollection,get,list,watch', '*', '*'),
  ],
  'node-controller': [
    rule('delete,get,list,patch,update,watch', '', 'nodes'),
    rule('patch,update', '', 'nodes/status'),
    rule('patch,update', '', 'pods/status'),
    rule('delete,get,list,watch', '', 'pods'),
    EVENTS,
  ],
  'persistent-volume-binder': [
    rule('create,delete,get,list,update,watch', '', 'persistentvolumes'),
    rule('update', '', 'persistentvolumes/status'),
    rule('get,list,update,watch', '', 'persistentvolumeclaims'),
    rule('update', '', 'persistentvolumeclaims/status'),
    rule('create,delete,get,list,watch', '', 'pods'),
    rule('get,list,watch', 'storage.k8s.io', 'storageclasses'),
    rule('list,watch', '', 'nodes'),
    EVENTS,
    rule('watch', '', 'events'),
  ],
  'pod-garbage-collector': [rule('delete,list,watch', '', 'pods'), rule('get,list,watch', '', 'nodes'), rule('patch', '', 'pods/status')],
  'pv-protection-controller': [rule('get,list,update,watch', '', 'persistentvolumes'), EVENTS],
  'pvc-protection-controller': [
    rule('get,list,update,watch', '', 'persistentvolumeclaims'),
    rule('update', '', 'persistentvolumeclaims/status'),
    rule('get,list,watch', '', 'pods'),
    EVENTS,
  ],
  'replicaset-controller': [
    rule('get,list,update,watch', 'apps,extensions', 'replicasets'),
    rule('update', 'apps,extensions', 'replicasets/status'),
    rule('update', 'apps,extensions', 'replicasets/finalizers'),
    rule('create,delete,list,patch,watch', '', 'pods'),
    EVENTS,
  ],
  'replication-controller': [
    rule('get,list,update,watch', '', 'replicationcontrollers'),
    rule('update', '', 'replicationcontrollers/status'),
    rule('update', '', 'replicationcontrollers/finalizers'),
    rule('create,delete,list,patch,watch', '', 'pods'),
    EVENTS,
  ],
  'resource-claim-controller': [
    rule('get,list,watch', '', 'pods'),
    rule('update', '', 'pods/finalizers'),
    rule('create,delete,get,list,watch', 'resource.k8s.io', 'resourceclaims'),
    rule('patch,update', 'resource.k8s.io', 'resourceclaims,resourceclaims/status'),
    rule('patch,update', '', 'pods/status'),
    EVENTS,
    rule('patch,update', 'resource.k8s.io', 'resourceclaims/binding'),
  ],
  'resourcequota-controller': [rule('list,watch', '*', '*'), rule('update', '', 'resourcequotas/status'), EVENTS],
  'root-ca-cert-publisher': [rule('create,update', '', 'configmaps'), EVENTS],
  'route-controller': [rule('list,watch', '', 'nodes'), rule('patch', '', 'nodes/status'), EVENTS],
  'selinux-warning-controller': [
    EVENTS,
    rule('get,list,watch', '', 'persistentvolumes'),
    rule('get,list,watch', '', 'persistentvolumeclaims'),
    rule('get,list,watch', '', 'pods'),
    rule('get,list,watch', 'storage.k8s.io', 'csidrivers'),
  ],
  'service-account-controller': [rule('create', '', 'serviceaccounts'), EVENTS],
  'service-ca-cert-publisher': [rule('create,update', '', 'configmaps'), EVENTS],
  'service-cidrs-controller': [
    rule('get,list,patch,update,watch', 'networking.k8s.io', 'servicecidrs'),
    rule('patch,update', 'networking.k8s.io', 'servicecidrs/finalizers'),
    rule('patch,update', 'networking.k8s.io', 'servicecidrs/status'),
    rule('get,list,watch', 'networking.k8s.io', 'ipaddresses'),
    EVENTS,
  ],
  'service-controller': [
    rule('get,list,watch', '', 'services'),
    rule('patch,update', '', 'services/status'),
    rule('list,watch', '', 'nodes'),
    EVENTS,
  ],
  'statefulset-controller': [
    rule('list,watch', '', 'pods'),
    rule('get,list,watch', 'apps', 'statefulsets'),
    rule('update', 'apps', 'statefulsets/status'),
    rule('update', 'apps', 'statefulsets/finalizers'),
    rule('create,delete,get,patch,update', '', 'pods'),
    rule('create,delete,get,list,patch,update,watch', 'apps', 'controllerrevisions'),
    rule('create,get,list,watch', '', 'persistentvolumeclaims'),
    rule('delete,update', '', 'persistentvolumeclaims'),
    rule('update', '', 'pods/finalizers'),
    EVENTS,
  ],
  'ttl-after-finished-controller': [rule('delete,get,list,watch', 'batch', 'jobs'), EVENTS],
  'ttl-controller': [rule('list,patch,update,watch', '', 'nodes'), EVENTS],
  'validatingadmissionpolicy-status-controller': [
    rule('get,list,watch', 'admissionregistration.k8s.io', 'validatingadmissionpolicies'),
    rule('get,patch,update', 'admissionregistration.k8s.io', 'validatingadmissionpolicies/status'),
    EVENTS,
  ],
  'volumeattributesclass-protection-controller': [
    rule('get,list,watch', '', 'persistentvolumeclaims'),
    rule('get,list,watch', '', 'persistentvolumes'),
    rule('get,list,update,watch', 'storage.k8s.io', 'volumeattributesclasses'),
    EVENTS,
  ],
}

/** What controllers of APIs that are not served by default may do, and those APIs: without them there are no such roles. */
export const OPTIONAL_CONTROLLER_ROLES: readonly OptionalRole[] = [
  {
    api: StorageVersionMigration,
    name: 'storage-version-migrator-controller',
    rules: [
      // Any object is written anew; a patch of one that is gone counts as a create, which its uid keeps from happening.
      rule('create,list,patch', '*', '*'),
      rule('update', 'storagemigration.k8s.io', 'storageversionmigrations/status'),
    ],
  },
  {
    api: StorageVersion,
    name: 'storage-version-garbage-collector',
    rules: [
      rule('get,list,watch', 'coordination.k8s.io', 'leases'),
      rule('delete,get,list,patch,update,watch', 'internal.apiserver.k8s.io', 'storageversions'),
      rule('get,patch,update', 'internal.apiserver.k8s.io', 'storageversions/status'),
    ],
  },
  {
    api: ClusterTrustBundle,
    name: 'kube-apiserver-serving-clustertrustbundle-publisher',
    rules: [
      rule('attest', 'certificates.k8s.io', 'signers', 'kubernetes.io/kube-apiserver-serving'),
      rule('create,delete,list,update,watch', 'certificates.k8s.io', 'clustertrustbundles'),
      EVENTS,
    ],
  },
  {
    api: PodCertificateRequest,
    name: 'podcertificaterequestcleaner',
    rules: [rule('delete,get,list,watch', 'certificates.k8s.io', 'podcertificaterequests')],
  },
  {
    api: DeviceTaintRule,
    name: 'device-taint-eviction-controller',
    rules: [
      rule('get,list,watch', 'resource.k8s.io', 'devicetaintrules'),
      rule('patch,update', 'resource.k8s.io', 'devicetaintrules/status'),
    ],
  },
  {
    api: ResourcePoolStatusRequest,
    name: 'resourcepoolstatusrequest-controller',
    rules: [
      rule('delete,get,list,watch', 'resource.k8s.io', 'resourcepoolstatusrequests'),
      rule('patch,update', 'resource.k8s.io', 'resourcepoolstatusrequests/status'),
      rule('get,list,watch', 'resource.k8s.io', 'resourceclaims,resourceslices'),
      EVENTS,
    ],
  },
  {
    api: PodGroup,
    name: 'podgroup-protection-controller',
    rules: [rule('get,list,watch', '', 'pods'), rule('get,list,update,watch', 'scheduling.k8s.io', 'podgroups'), EVENTS],
  },
]

interface OptionalRole {
  readonly api: AnyKind
  readonly name: string
  readonly rules: readonly PolicyRule[]
}
