import { Taint } from '#kinds/core/v1/node.ts'
import {
  anyJson,
  boolean,
  duration,
  int32,
  int64,
  list,
  map,
  message,
  omitempty,
  optional,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import type { ConfigKind } from './config-file.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubelet } from './kubelet.ts'

const name = (of: string) => `io.k8s.kubelet.config.v1beta1.${of}`

/** Fields that this kubelet reads. */
const honoured = {
  enableServer: optional(undefined, boolean),
  staticPodPath: omitempty(undefined, string),
  podLogsDir: omitempty(undefined, string),
  address: omitempty(undefined, string),
  port: optional(undefined, int32),
  tlsCertFile: omitempty(undefined, string),
  tlsPrivateKeyFile: omitempty(undefined, string),
  tlsCipherSuites: omitempty(undefined, list(string)),
  tlsMinVersion: omitempty(undefined, string),
  authentication: optional(
    undefined,
    message(name('KubeletAuthentication'), {
      x509: optional(undefined, message(name('KubeletX509Authentication'), { clientCAFile: omitempty(undefined, string) })),
      webhook: optional(
        undefined,
        message(name('KubeletWebhookAuthentication'), { enabled: optional(undefined, boolean), cacheTTL: optional(undefined, duration) }),
      ),
      anonymous: optional(undefined, message(name('KubeletAnonymousAuthentication'), { enabled: optional(undefined, boolean) })),
    }),
  ),
  authorization: optional(
    undefined,
    message(name('KubeletAuthorization'), {
      mode: omitempty(undefined, string),
      webhook: optional(
        undefined,
        message(name('KubeletWebhookAuthorization'), {
          cacheAuthorizedTTL: optional(undefined, duration),
          cacheUnauthorizedTTL: optional(undefined, duration),
        }),
      ),
    }),
  ),
  healthzPort: optional(undefined, int32),
  healthzBindAddress: omitempty(undefined, string),
  clusterDomain: omitempty(undefined, string),
  clusterDNS: omitempty(undefined, list(string)),
  imageGCHighThresholdPercent: optional(undefined, int32),
  imageGCLowThresholdPercent: optional(undefined, int32),
  cgroupRoot: omitempty(undefined, string),
  maxPods: optional(undefined, int32),
  podsPerCore: optional(undefined, int32),
  podPidsLimit: optional(undefined, int64),
  resolvConf: optional(undefined, string),
  kubeAPIQPS: optional(undefined, int32),
  kubeAPIBurst: optional(undefined, int32),
  evictionHard: omitempty(undefined, map(string)),
  systemReserved: omitempty(undefined, map(string)),
  kubeReserved: omitempty(undefined, map(string)),
  containerLogMaxSize: omitempty(undefined, string),
  containerLogMaxFiles: optional(undefined, int32),
  registerWithTaints: omitempty(undefined, list(Taint)),
  registerNode: optional(undefined, boolean),
  providerID: omitempty(undefined, string),
  containerRuntimeEndpoint: omitempty(undefined, string),
  oomScoreAdj: optional(undefined, int32),
  allowedUnsafeSysctls: omitempty(undefined, list(string)),
  seccompDefault: optional(undefined, boolean),
} as const

/** Fields of upstream's that are accepted and have no effect here. */
const accepted = Object.fromEntries(
  [
    'syncFrequency fileCheckFrequency httpCheckFrequency staticPodURL staticPodURLHeader readOnlyPort rotateCertificates serverTLSBootstrap',
    'tlsCurvePreferences registryPullQPS registryBurst imagePullCredentialsVerificationPolicy preloadedImagesVerificationAllowlist eventRecordQPS',
    'eventBurst enableDebuggingHandlers enableContentionProfiling streamingConnectionIdleTimeout nodeStatusUpdateFrequency',
    'nodeStatusReportFrequency nodeLeaseDurationSeconds imageMinimumGCAge imageMaximumGCAge volumeStatsAggPeriod kubeletCgroups systemCgroups',
    'cgroupsPerQOS cgroupDriver cpuManagerPolicy singleProcessOOMKill cpuManagerPolicyOptions cpuManagerReconcilePeriod memoryManagerPolicy',
    'topologyManagerPolicy topologyManagerScope topologyManagerPolicyOptions qosReserved runtimeRequestTimeout hairpinMode podCIDR runOnce',
    'cpuCFSQuota cpuCFSQuotaPeriod nodeStatusMaxImages maxOpenFiles contentType serializeImagePulls maxParallelImagePulls evictionSoft',
    'evictionSoftGracePeriod evictionPressureTransitionPeriod evictionMaxPodGracePeriod evictionMinimumReclaim mergeDefaultEvictionSettings',
    'enableControllerAttachDetach protectKernelDefaults makeIPTablesUtilChains iptablesMasqueradeBit iptablesDropBit featureGates',
    'failSwapOn memorySwap containerLogMaxWorkers containerLogMonitorInterval configMapAndSecretChangeDetectionStrategy reservedSystemCPUs',
    'showHiddenMetricsForVersion systemReservedCgroup kubeReservedCgroup enforceNodeAllocatable volumePluginDir',
    'kernelMemcgNotification logging enableSystemLogHandler enableSystemLogQuery shutdownGracePeriod shutdownGracePeriodCriticalPods',
    'shutdownGracePeriodByPodPriority crashLoopBackOff reservedMemory enableProfilingHandler enableDebugFlagsHandler',
    'memoryThrottlingFactor tracing localStorageCapacityIsolation imageServiceEndpoint failCgroupV1 userNamespaces imagePullCredentialsVerificationPolicy',
    'allowInsecureRegistries memoryReservationPolicy',
  ]
    .flatMap(line => line.split(' '))
    .map(field => [field, optional(undefined, anyJson)]),
)

const KubeletConfiguration = message(name('KubeletConfiguration'), { ...accepted, ...honoured })
export interface KubeletConfiguration extends StoredOf<typeof HonouredConfiguration> {}
const HonouredConfiguration = message(name('KubeletConfiguration'), honoured)

/** What `kubelet --config` reads. */
export const kubeletConfiguration: ConfigKind<KubeletConfiguration> = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  schema: KubeletConfiguration as typeof HonouredConfiguration,
}

/** The fields of a configuration that were set and have no effect here. */
export function withoutEffect(config: KubeletConfiguration): string[] {
  return Object.keys(config).filter(field => field in accepted)
}

/** Reads a flag as {@link ProgramContext.setting} does. */
type Setting = <Name extends keyof KubeletFlags>(flag: Name, inFile: KubeletFlags[Name] | undefined) => KubeletFlags[Name]
type KubeletFlags = FlagValues<typeof kubelet.sections>

/** What is in force, for `/configz`: the file, with what flags say and what is so by default in the fields that have an effect. */
export function inForce(config: KubeletConfiguration, setting: Setting): object {
  return {
    ...config,
    enableServer: setting('enable-server', config.enableServer),
    staticPodPath: setting('pod-manifest-path', config.staticPodPath),
    podLogsDir: config.podLogsDir ?? '/var/log/pods',
    address: setting('address', config.address),
    port: setting('port', config.port),
    tlsCertFile: setting('tls-cert-file', config.tlsCertFile),
    tlsPrivateKeyFile: setting('tls-private-key-file', config.tlsPrivateKeyFile),
    tlsCipherSuites: setting('tls-cipher-suites', config.tlsCipherSuites),
    tlsMinVersion: setting('tls-min-version', config.tlsMinVersion as never),
    authentication: {
      x509: { clientCAFile: setting('client-ca-file', config.authentication?.x509?.clientCAFile) },
      webhook: { enabled: true },
      anonymous: { enabled: false },
    },
    authorization: { mode: 'Webhook' },
    healthzPort: setting('healthz-port', config.healthzPort),
    healthzBindAddress: setting('healthz-bind-address', config.healthzBindAddress),
    clusterDomain: setting('cluster-domain', config.clusterDomain),
    clusterDNS: setting('cluster-dns', config.clusterDNS),
    imageGCHighThresholdPercent: setting('image-gc-high-threshold', config.imageGCHighThresholdPercent),
    imageGCLowThresholdPercent: setting('image-gc-low-threshold', config.imageGCLowThresholdPercent),
    cgroupRoot: setting('cgroup-root', config.cgroupRoot),
    maxPods: setting('max-pods', config.maxPods),
    podsPerCore: setting('pods-per-core', config.podsPerCore),
    podPidsLimit: setting('pod-max-pids', config.podPidsLimit === undefined ? undefined : Number(config.podPidsLimit)),
    resolvConf: setting('resolv-conf', config.resolvConf),
    kubeAPIQPS: setting('kube-api-qps', config.kubeAPIQPS),
    kubeAPIBurst: setting('kube-api-burst', config.kubeAPIBurst),
    evictionHard: setting('eviction-hard', config.evictionHard),
    systemReserved: setting('system-reserved', config.systemReserved),
    kubeReserved: setting('kube-reserved', config.kubeReserved),
    containerLogMaxSize: setting('container-log-max-size', config.containerLogMaxSize),
    containerLogMaxFiles: setting('container-log-max-files', config.containerLogMaxFiles),
    registerNode: setting('register-node', config.registerNode),
    providerID: setting('provider-id', config.providerID),
    containerRuntimeEndpoint: setting('container-runtime-endpoint', config.containerRuntimeEndpoint),
    oomScoreAdj: setting('oom-score-adj', config.oomScoreAdj),
    allowedUnsafeSysctls: setting('allowed-unsafe-sysctls', config.allowedUnsafeSysctls),
    seccompDefault: setting('seccomp-default', config.seccompDefault),
  }
}
