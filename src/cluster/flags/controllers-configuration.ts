import { formatDuration } from '#machinery/duration/duration.ts'
import type { cloudControllerManager } from './cloud-controller-manager.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeControllerManager } from './kube-controller-manager.ts'

type ControllerManagerFlags = FlagValues<typeof kubeControllerManager.sections>
type CloudControllerManagerFlags = FlagValues<typeof cloudControllerManager.sections>

/**
 * The flags of kube-controller-manager as `/configz` shows them: a KubeControllerManagerConfiguration (v1alpha1), whose fields are written in
 * JSON as in Go, since upstream's type has no other names.
 */
export function kubeControllerManagerConfiguration(flags: ControllerManagerFlags): object {
  const [serviceCIDR = '', secondaryServiceCIDR = ''] = flags['service-cluster-ip-range'].split(',')
  const signer = (name: 'kubelet-serving' | 'kubelet-client' | 'kube-apiserver-client' | 'legacy-unknown') => ({
    CertFile: flags[`cluster-signing-${name}-cert-file`],
    KeyFile: flags[`cluster-signing-${name}-key-file`],
  })
  return {
    Generic: genericOf(flags),
    KubeCloudShared: { ...sharedOf(flags), ExternalCloudVolumePlugin: flags['external-cloud-volume-plugin'] },
    AttachDetachController: {
      DisableAttachDetachReconcilerSync: flags['disable-attach-detach-reconcile-sync'],
      ReconcilerSyncLoopPeriod: period(flags['attach-detach-reconcile-sync-period']),
      DisableForceDetachOnTimeout: flags['disable-force-detach-on-timeout'],
    },
    CSRSigningController: {
      ClusterSigningCertFile: flags['cluster-signing-cert-file'],
      ClusterSigningKeyFile: flags['cluster-signing-key-file'],
      KubeletServingSignerConfiguration: signer('kubelet-serving'),
      KubeletClientSignerConfiguration: signer('kubelet-client'),
      KubeAPIServerClientSignerConfiguration: signer('kube-apiserver-client'),
      LegacyUnknownSignerConfiguration: signer('legacy-unknown'),
      ClusterSigningDuration: period(flags['cluster-signing-duration']),
    },
    CronJobController: { ConcurrentCronJobSyncs: flags['concurrent-cron-job-syncs'] },
    DaemonSetController: { ConcurrentDaemonSetSyncs: flags['concurrent-daemonset-syncs'] },
    DeploymentController: { ConcurrentDeploymentSyncs: flags['concurrent-deployment-syncs'] },
    DeviceTaintEvictionController: { ConcurrentSyncs: flags['concurrent-device-taint-eviction-syncs'] },
    EndpointController: {
      ConcurrentEndpointSyncs: flags['concurrent-endpoint-syncs'],
      EndpointUpdatesBatchPeriod: period(flags['endpoint-updates-batch-period']),
    },
    EndpointSliceController: {
      ConcurrentServiceEndpointSyncs: flags['concurrent-service-endpoint-syncs'],
      MaxEndpointsPerSlice: flags['max-endpoints-per-slice'],
      EndpointUpdatesBatchPeriod: period(flags['endpointslice-updates-batch-period']),
    },
    EndpointSliceMirroringController: {
      MirroringConcurrentServiceEndpointSyncs: flags['mirroring-concurrent-service-endpoint-syncs'],
      MirroringMaxEndpointsPerSubset: flags['mirroring-max-endpoints-per-subset'],
      MirroringEndpointUpdatesBatchPeriod: period(flags['mirroring-endpointslice-updates-batch-period']),
    },
    EphemeralVolumeController: { ConcurrentEphemeralVolumeSyncs: flags['concurrent-ephemeralvolume-syncs'] },
    GarbageCollectorController: {
      EnableGarbageCollector: flags['enable-garbage-collector'],
      ConcurrentGCSyncs: flags['concurrent-gc-syncs'],
      GCIgnoredResources: [{ Group: '', Resource: 'events' }],
    },
    HPAController: {
      ConcurrentHorizontalPodAutoscalerSyncs: flags['concurrent-horizontal-pod-autoscaler-syncs'],
      HorizontalPodAutoscalerSyncPeriod: period(flags['horizontal-pod-autoscaler-sync-period']),
      HorizontalPodAutoscalerDownscaleStabilizationWindow: period(flags['horizontal-pod-autoscaler-downscale-stabilization']),
      HorizontalPodAutoscalerTolerance: flags['horizontal-pod-autoscaler-tolerance'],
      HorizontalPodAutoscalerCPUInitializationPeriod: period(flags['horizontal-pod-autoscaler-cpu-initialization-period']),
      HorizontalPodAutoscalerInitialReadinessDelay: period(flags['horizontal-pod-autoscaler-initial-readiness-delay']),
    },
    JobController: { ConcurrentJobSyncs: flags['concurrent-job-syncs'] },
    LegacySATokenCleaner: { CleanUpPeriod: period(flags['legacy-service-account-token-clean-up-period']) },
    NamespaceController: {
      NamespaceSyncPeriod: period(flags['namespace-sync-period']),
      ConcurrentNamespaceSyncs: flags['concurrent-namespace-syncs'],
    },
    NodeIPAMController: {
      ServiceCIDR: serviceCIDR,
      SecondaryServiceCIDR: secondaryServiceCIDR,
      NodeCIDRMaskSize: flags['node-cidr-mask-size'],
      NodeCIDRMaskSizeIPv4: flags['node-cidr-mask-size-ipv4'],
      NodeCIDRMaskSizeIPv6: flags['node-cidr-mask-size-ipv6'],
    },
    NodeLifecycleController: {
      NodeEvictionRate: flags['node-eviction-rate'],
      SecondaryNodeEvictionRate: flags['secondary-node-eviction-rate'],
      NodeStartupGracePeriod: period(flags['node-startup-grace-period']),
      NodeMonitorGracePeriod: period(flags['node-monitor-grace-period']),
      LargeClusterSizeThreshold: flags['large-cluster-size-threshold'],
      UnhealthyZoneThreshold: flags['unhealthy-zone-threshold'],
    },
    PersistentVolumeBinderController: { PVClaimBinderSyncPeriod: period(flags['pvclaimbinder-sync-period']) },
    PodGCController: { TerminatedPodGCThreshold: flags['terminated-pod-gc-threshold'] },
    ReplicaSetController: { ConcurrentRSSyncs: flags['concurrent-replicaset-syncs'] },
    ReplicationController: { ConcurrentRCSyncs: flags['concurrent-rc-syncs'] },
    ResourceClaimController: { ConcurrentSyncs: flags['concurrent-resource-claim-syncs'] },
    ResourceQuotaController: {
      ResourceQuotaSyncPeriod: period(flags['resource-quota-sync-period']),
      ConcurrentResourceQuotaSyncs: flags['concurrent-resource-quota-syncs'],
    },
    SAController: {
      ServiceAccountKeyFile: flags['service-account-private-key-file'],
      ConcurrentSATokenSyncs: flags['concurrent-serviceaccount-token-syncs'],
      RootCAFile: flags['root-ca-file'],
    },
    ServiceController: { ConcurrentServiceSyncs: flags['concurrent-service-syncs'] },
    StatefulSetController: { ConcurrentStatefulSetSyncs: flags['concurrent-statefulset-syncs'] },
    TTLAfterFinishedController: { ConcurrentTTLSyncs: flags['concurrent-ttl-after-finished-syncs'] },
    ValidatingAdmissionPolicyStatusController: { ConcurrentPolicySyncs: flags['concurrent-validating-admission-policy-status-syncs'] },
  }
}

/** The same of cloud-controller-manager: a CloudControllerManagerConfiguration (v1alpha1). */
export function cloudControllerManagerConfiguration(flags: CloudControllerManagerFlags): object {
  return {
    Generic: genericOf(flags),
    KubeCloudShared: sharedOf(flags),
    NodeController: { ConcurrentNodeSyncs: flags['concurrent-node-syncs'] },
    ServiceController: { ConcurrentServiceSyncs: flags['concurrent-service-syncs'] },
    NodeStatusUpdateFrequency: period(flags['node-status-update-frequency']),
    Webhook: { Webhooks: flags.webhooks },
  }
}

/** What both have. */
function genericOf(flags: ControllerManagerFlags | CloudControllerManagerFlags): object {
  return {
    Port: flags['secure-port'],
    Address: flags['bind-address'],
    MinResyncPeriod: period(flags['min-resync-period']),
    ClientConnection: {
      kubeconfig: flags.kubeconfig,
      acceptContentTypes: '',
      contentType: flags['kube-api-content-type'],
      qps: flags['kube-api-qps'],
      burst: flags['kube-api-burst'],
    },
    ControllerStartInterval: period(flags['controller-start-interval']),
    LeaderElection: {
      leaderElect: flags['leader-elect'],
      leaseDuration: period(flags['leader-elect-lease-duration']),
      renewDeadline: period(flags['leader-elect-renew-deadline']),
      retryPeriod: period(flags['leader-elect-retry-period']),
      resourceLock: flags['leader-elect-resource-lock'],
      resourceName: flags['leader-elect-resource-name'],
      resourceNamespace: flags['leader-elect-resource-namespace'],
    },
    Controllers: flags.controllers,
    Debugging: { enableProfiling: flags.profiling, enableContentionProfiling: flags['contention-profiling'] },
    LeaderMigrationEnabled: flags['enable-leader-migration'],
    LeaderMigration: { leaderName: '', resourceLock: '', controllerLeaders: null },
  }
}

function sharedOf(flags: ControllerManagerFlags | CloudControllerManagerFlags): object {
  return {
    CloudProvider: { Name: flags['cloud-provider'], CloudConfigFile: flags['cloud-config'] },
    UseServiceAccountCredentials: flags['use-service-account-credentials'],
    AllowUntaggedCloud: 'allow-untagged-cloud' in flags ? flags['allow-untagged-cloud'] : false,
    RouteReconciliationPeriod: period(flags['route-reconciliation-period']),
    NodeMonitorPeriod: period(flags['node-monitor-period']),
    ClusterName: flags['cluster-name'],
    ClusterCIDR: flags['cluster-cidr'],
    AllocateNodeCIDRs: flags['allocate-node-cidrs'],
    CIDRAllocatorType: flags['cidr-allocator-type'],
    ConfigureCloudRoutes: flags['configure-cloud-routes'],
    NodeSyncPeriod: '0s',
  }
}

/** Milliseconds as Go writes durations. */
function period(ms: number): string {
  return formatDuration(BigInt(Math.round(ms * 1e6)))
}
