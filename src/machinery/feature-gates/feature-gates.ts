/* The feature gates of Kubernetes 1.36, by stage and by whether they are on when nothing is said. One list for all programs. */

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

/** How far a feature has come, as `kubernetes_feature_enabled` names it; '' is generally available. */
export type FeatureStage = 'ALPHA' | 'BETA' | '' | 'DEPRECATED'

export interface FeatureGate {
  readonly isOn: boolean
  /** Whether that is all that may be asked for. */
  readonly isLocked: boolean
  readonly stage: FeatureStage
}

/** What `--feature-gates` says: names, and whether they are to be on. `AllAlpha` and `AllBeta` mean those of a stage that are not named. */
export type FeatureGates = Readonly<Record<string, boolean>>

const gates = (names: string, stage: FeatureStage, isOn: boolean, isLocked = false) =>
  names.split(/\s+/).map(name => [name, { isOn, isLocked, stage }] as const)

/** Every gate by its name. */
export const FEATURE_GATES: ReadonlyMap<string, FeatureGate> = new Map([
  ...gates(DEPRECATED, 'DEPRECATED', false),
  ...gates(ALPHA, 'ALPHA', false),
  ...gates(BETA_OFF, 'BETA', false),
  ...gates(BETA_ON, 'BETA', true),
  ...gates(STABLE, '', true, true),
])

/** Whether a gate is on. Throws for a name that is none: that is a mistake in the program. */
export function isGateOn(name: string, asked: FeatureGates): boolean {
  const gate = FEATURE_GATES.get(name)
  if (!gate) throw new Error(`there is no feature gate of the name ${name}`)
  if (gate.isLocked) return gate.isOn
  const ofStage = gate.stage === 'ALPHA' ? asked['AllAlpha'] : gate.stage === 'BETA' ? asked['AllBeta'] : undefined
  return asked[name] ?? ofStage ?? gate.isOn
}

/** Why a gate cannot be turned on or off, in upstream's words; undefined if it can. */
export function gateProblem(name: string, isOn: boolean): string | undefined {
  const gate = FEATURE_GATES.get(name)
  if (!gate) return `unrecognized feature gate: ${name}`
  return gate.isLocked && gate.isOn !== isOn ? `cannot set feature gate ${name} to ${isOn}, feature is locked to ${gate.isOn}` : undefined
}

/** `kubernetes_feature_enabled` in Prometheus' text format: every gate, its stage, and whether it is on. */
export function featureMetrics(asked: FeatureGates): { text(): string } {
  const lines = [...FEATURE_GATES].map(
    ([name, { stage }]) => `kubernetes_feature_enabled{name="${name}",stage="${stage}"} ${isGateOn(name, asked) ? 1 : 0}\n`,
  )
  const head = [
    '# HELP kubernetes_feature_enabled [BETA] This metric records the data about the stage and enablement of a k8s feature.',
    '# TYPE kubernetes_feature_enabled gauge',
  ]
  const all = `${head.join('\n')}\n${lines.sort().join('')}`
  return { text: () => all }
}
