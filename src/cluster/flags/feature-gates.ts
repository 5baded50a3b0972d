import { type Flag, FlagValueError, switches } from './flag.ts'

/* The feature gates of Kubernetes 1.36, by stage and by whether they are on. What they gate is on or off here as it is in upstream by default. */

const ALPHA = `APIServingWithRoutine AllAlpha AllowUnsafeMalformedObjectDeletion CBORServingAndStorage CPUManagerPolicyAlphaOptions
CRIListStreaming CSIVolumeHealth ClientsAllowCBOR ClientsPreferCBOR CloudControllerManagerWatchBasedRoutesReconciliation
CloudControllerManagerWebhook ContainerStopSignals ControllerManagerReleaseLeaderElectionLockOnExit CrossNamespaceVolumeDataSource
DRAListTypeAttributes DRANodeAllocatableResources DRAResourcePoolStatus DRAWorkloadResourceClaims EventedPLEG GangScheduling
GenericWorkload HPAScaleToZero ImageVolumeWithDigest InPlacePodVerticalScalingExclusiveCPUs InPlacePodVerticalScalingExclusiveMemory
KubeletInUserNamespace LoggingAlphaOptions ManifestBasedAdmissionControlConfig MemoryQoS MutablePVNodeAffinity NativeHistograms
PersistentVolumeClaimUnusedSinceTime PodAndContainerStatsFromCRI PodLevelResourceManagers PodLogsQuerySplitStreams PodsAPI QOSReserved
ReduceDefaultCrashLoopBackOffDecay RuntimeClassInImageCriApi ShardedListAndWatch StorageCapacityScoring StorageVersionAPI
TaintTolerationComparisonOperators TopologyAwareWorkloadScheduling TopologyManagerPolicyAlphaOptions UserNamespacesHostNetworkSupport
VolumeLimitScaling WindowsCPUAndMemoryAffinity WorkloadAwarePreemption WorkloadWithJob`

const BETA_OFF = `AllBeta ClusterTrustBundle ClusterTrustBundleProjection ConcurrentWatchObjectDecode CoordinatedLeaderElection
DRADeviceTaintRules LocalStorageCapacityIsolationFSQuotaMonitoring MaxUnavailableStatefulSet PodCertificateRequest SELinuxMount
SchedulerAsyncAPICalls StorageVersionMigrator`

const BETA_ON = `APIResponseCompression APIServerIdentity AllowParsingUserUIDFromCertAuth AtomicFIFO
AuthorizePodWebsocketUpgradeCreatePermission CPUManagerPolicyBetaOptions CRDObservedGenerationTracking
ClearingNominatedNodeNameAfterBinding ClientsAllowCARotation ClientsAllowTLSCacheGC ComponentFlagz ComponentStatusz
ConstrainedImpersonation ContainerCheckpoint ContainerRestartRules ContextualLogging DRAConsumableCapacity DRADeviceBindingConditions
DRADeviceTaints DRAExtendedResource DRAPartitionableDevices DRAResourceClaimDeviceStatus DRAResourceClaimGranularStatusAuthorization
DRASchedulerFilterTimeout DeclarativeValidationBeta DeploymentReplicaSetTerminatingReplicas DetectCacheInconsistency EnvFiles
ExtendWebSocketsToKubelet GracefulNodeShutdown GracefulNodeShutdownBasedOnPodPriority HPAConfigurableTolerance HostnameOverride
InOrderInformersBatchProcess InPlacePodLevelResourcesVerticalScaling InPlacePodVerticalScalingInitContainers KubeletCrashLoopBackOffMax
KubeletEnsureSecretPulledImages KubeletSeparateDiskGC KubeletServiceAccountTokenForCredentialProviders ListFromCacheSnapshot
LoggingBetaOptions MatchLabelKeysInPodTopologySpread MatchLabelKeysInPodTopologySpreadSelectorMerge MutablePodResourcesForSuspendedJobs
MutableSchedulingDirectivesForSuspendedJobs NodeDeclaredFeatures NominatedNodeNameForExpectation OpenAPIEnums OpportunisticBatching
PLEGOnDemandRelist PodDeletionCost PodLevelResources PodReadyToStartContainersCondition PodTopologyLabelsAdmission PortForwardWebsockets
PreventStaticPodAPIReferences RelaxedServiceNameValidation ReloadKubeletClientCAFile ReloadKubeletServerCertificateFile
RemoteRequestHeaderUID ResourceHealthStatus ResourceHealthStatusMessage RestartAllContainersOnContainerExits
RotateKubeletServerCertificate SchedulerAsyncPreemption SchedulerPopFromBackoffQ ServiceAccountNodeAudienceRestriction
SizeBasedListCostEstimate StaleControllerConsistencyDaemonSet StaleControllerConsistencyJob StaleControllerConsistencyReplicaSet
StaleControllerConsistencyStatefulSet StatefulSetSemanticRevisionComparison StorageVersionHash StrictIPCIDRValidation
StructuredAuthenticationConfigurationEgressSelector StructuredAuthenticationConfigurationJWKSMetrics
TokenRequestServiceAccountUIDValidation TopologyManagerPolicyBetaOptions TranslateStreamCloseWebsocketRequests
UnauthenticatedHTTP2DOSMitigation UnknownVersionInteroperabilityProxy UnlockWhileProcessingFIFO WatchCacheInitializationPostStartHook
WatchList WatchListClient WindowsGracefulNodeShutdown`

/** Generally available: they are on, and nobody can turn them off. */
const STABLE = `APIServerTracing AnonymousAuthConfigurableEndpoints AnyVolumeDataSource AppArmorFields AuthorizeNodeWithSelectors
AuthorizeWithSelectors BtreeWatchCache CPUManagerPolicyOptions CSIServiceAccountTokenSecrets ConsistentListFromCache
CronJobsScheduledAnnotation CustomResourceFieldSelectors DRAAdminAccess DRAPrioritizedList DeclarativeValidation DevicePluginCDIDevices
DisableAllocatorDualWrite DisableCPUQuotaWithExclusiveCPUs DynamicResourceAllocation ExecProbeTimeout ExternalServiceAccountTokenSigner
HonorPVReclaimPolicy ImageMaximumGCAge ImageVolume InOrderInformers InPlacePodVerticalScaling JobBackoffLimitPerIndex JobManagedBy
JobPodReplacementPolicy JobSuccessPolicy KubeletCgroupDriverFromCRI KubeletFineGrainedAuthz KubeletPSI KubeletPodResourcesDynamicResources
KubeletPodResourcesGet KubeletTracing LogarithmicScaleDown MatchLabelKeysInPodAffinity MultiCIDRServiceAllocator
MutableCSINodeAllocatableCount MutatingAdmissionPolicy NFTablesProxyMode NodeInclusionPolicyInPodTopologySpread NodeLogQuery NodeSwap
OrderedNamespaceDeletion PodIndexLabel PodLifecycleSleepAction PodLifecycleSleepActionAllowZero PodObservedGenerationTracking
PreferSameTrafficDistribution ProbeHostPodSecurityStandards ProcMountType RecoverVolumeExpansionFailure RecursiveReadOnlyMounts
RelaxedDNSSearchValidation RelaxedEnvironmentVariableValidation ResilientWatchCacheInitialization RetryGenerateName SELinuxChangePolicy
SELinuxMountReadWriteOncePod SchedulerQueueingHints SeparateCacheWatchRPC SeparateTaintEvictionController ServiceAccountTokenJTI
ServiceAccountTokenNodeBinding ServiceAccountTokenNodeBindingValidation ServiceAccountTokenPodNodeInfo ServiceTrafficDistribution
SidecarContainers StatefulSetAutoDeletePVC StorageNamespaceIndex StreamingCollectionEncodingToJSON StreamingCollectionEncodingToProtobuf
StrictCostEnforcementForVAP StrictCostEnforcementForWebhooks StructuredAuthenticationConfiguration StructuredAuthorizationConfiguration
SupplementalGroupsPolicy SystemdWatchdog TopologyAwareHints TopologyManagerPolicyOptions UserNamespacesSupport VolumeAttributesClass WinDSR
WinOverlay`

/** Left for those who still need what was before. */
const DEPRECATED = `AllowDNSOnlyNodeCSR AllowInsecureKubeletCertificateSigningRequests AllowOverwriteTerminationGracePeriodSeconds
AllowServiceLBStatusOnNonLB DisableNodeKubeProxyVersion KubeletRegistrationGetOnExistsOnly StrictCostEnforcementForVAP
WatchFromStorageWithoutResourceVersion`

interface Gate {
  readonly isOn: boolean
  readonly isLocked: boolean
}

const gates = (names: string, gate: Gate) => names.split(/\s+/).map(name => [name, gate] as const)

/** Every gate by its name. */
export const FEATURE_GATES: ReadonlyMap<string, Gate> = new Map([
  ...gates(DEPRECATED, { isOn: false, isLocked: false }),
  ...gates(ALPHA, { isOn: false, isLocked: false }),
  ...gates(BETA_OFF, { isOn: false, isLocked: false }),
  ...gates(BETA_ON, { isOn: true, isLocked: false }),
  ...gates(STABLE, { isOn: true, isLocked: true }),
])

/**
 * `--feature-gates`: upstream's names and no others, `kube:` before them or not. Only gates that are `applied` are turned on or off by it; asking
 * for that of others is warned of.
 */
export function featureGates(applied: (gate: string) => boolean = () => false): Flag<Readonly<Record<string, boolean>>> {
  const words = switches('Features to turn on or off, as Name=true|false.')
  return {
    ...words,
    type: 'colonSeparatedMultimapStringString',
    unapplied: 'features here are on or off as in upstream by default',
    agreesWith: value => Object.entries(value).every(([name, isOn]) => applied(name) || FEATURE_GATES.get(name)?.isOn === isOn),
    read(text, before) {
      const read = Object.entries(words.read(text, undefined)).map(([name, isOn]) => [name.replace(/^kube:/, ''), isOn] as const)
      for (const [name, isOn] of read) check(name, isOn)
      return { ...before, ...Object.fromEntries(read) }
    },
  }
}

function check(name: string, isOn: boolean): void {
  const gate = FEATURE_GATES.get(name)
  if (!gate) throw new FlagValueError(`unrecognized feature gate: ${name}`)
  if (gate.isLocked && gate.isOn !== isOn)
    throw new FlagValueError(`cannot set feature gate ${name} to ${isOn}, feature is locked to ${gate.isOn}`)
}
