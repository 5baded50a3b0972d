/** What whoever starts the controllers may set; upstream's flags, with upstream's defaults in {@link defaultParameters}. */
export interface ControllerParameters {
  /** The certificates that pods trust the API server by, as PEM: published to every namespace. Absent: nothing is published. */
  readonly rootCA: string | undefined
  /** Signs tokens of service accounts for secrets of type service-account-token. Absent: such secrets stay empty. */
  readonly signServiceAccountToken: SignServiceAccountToken | undefined
  /** Signs certificate requests that were approved. Absent: they stay unsigned. */
  readonly certificateSigner: CertificateSigner | undefined
  /** The longest life of a signed certificate. */
  readonly certificateDurationMs: number
  /** From which each node gets a part for its pods, one per IP family. Empty: none is given. */
  readonly clusterCIDRs: readonly string[]
  readonly nodeCIDRMaskSizeIPv4: number
  readonly nodeCIDRMaskSizeIPv6: number
  /** The CIDRs of Services, which nodes must not get. */
  readonly serviceCIDRs: readonly string[]
  readonly nodeMonitorPeriodMs: number
  /** How long a node may be silent before it counts as unreachable. */
  readonly nodeMonitorGracePeriodMs: number
  readonly nodeStartupGracePeriodMs: number
  /** Nodes per second that are tainted for eviction while a zone is well, and while a large one is not. */
  readonly nodeEvictionRate: number
  readonly secondaryNodeEvictionRate: number
  readonly unhealthyZoneThreshold: number
  readonly largeClusterSizeThreshold: number
  /** How many finished pods may stay before the oldest are collected. */
  readonly terminatedPodLimit: number
  /** Reads custom and external metrics by paths of the API server, as parsed JSON. Absent: nobody serves any. */
  readonly readMetrics: ((path: string) => Promise<unknown>) | undefined
  readonly horizontalPodAutoscalerSyncPeriodMs: number
  readonly horizontalPodAutoscalerTolerance: number
  readonly horizontalPodAutoscalerDownscaleStabilizationMs: number
  readonly horizontalPodAutoscalerCpuInitializationPeriodMs: number
  readonly horizontalPodAutoscalerInitialReadinessDelayMs: number
  readonly persistentVolumeBinderSyncPeriodMs: number
  /** Whether a volume that a node which is not well has in use for minutes is detached all the same. */
  readonly forceDetachOnTimeout: boolean
  /** After how long without use a service account's token in a secret is marked, and after how much longer it is deleted. */
  readonly legacyServiceAccountTokenCleanUpPeriodMs: number
  /** How many keys of one controller are worked on at the same time, where it is not its own matter. */
  readonly concurrentSyncs: number
}

/** A token of a service account that never ends, for a secret. */
export type SignServiceAccountToken = (claims: {
  readonly namespace: string
  readonly serviceAccount: string
  readonly serviceAccountUid: string
  readonly secret: string
}) => Promise<string>

/** The cryptography of certificate requests, given from outside. */
export interface CertificateSigner {
  /** What a PEM request asks for; rejects if it is none. */
  parse(requestPem: string): Promise<CertificateRequest>
  /** The certificate chain as PEM. */
  sign(request: CertificateToSign): Promise<string>
  /** When a certificate (the first of a PEM chain) ends, in milliseconds since the epoch. */
  notAfter(certificatePem: string): Promise<number>
}

/** The subject and alternative names that a certificate request asks for. */
export interface CertificateRequest {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly uris: readonly string[]
}

export interface CertificateToSign {
  readonly requestPem: string
  readonly signerName: string
  readonly usages: readonly string[]
  readonly durationMs: number
}

export const defaultParameters: ControllerParameters = {
  rootCA: undefined,
  signServiceAccountToken: undefined,
  certificateSigner: undefined,
  certificateDurationMs: 365 * 24 * 3600_000,
  clusterCIDRs: [],
  nodeCIDRMaskSizeIPv4: 24,
  nodeCIDRMaskSizeIPv6: 64,
  serviceCIDRs: [],
  nodeMonitorPeriodMs: 5_000,
  nodeMonitorGracePeriodMs: 50_000,
  nodeStartupGracePeriodMs: 60_000,
  nodeEvictionRate: 0.1,
  secondaryNodeEvictionRate: 0.01,
  unhealthyZoneThreshold: 0.55,
  largeClusterSizeThreshold: 50,
  terminatedPodLimit: 12_500,
  readMetrics: undefined,
  horizontalPodAutoscalerSyncPeriodMs: 15_000,
  horizontalPodAutoscalerTolerance: 0.1,
  horizontalPodAutoscalerDownscaleStabilizationMs: 300_000,
  horizontalPodAutoscalerCpuInitializationPeriodMs: 300_000,
  horizontalPodAutoscalerInitialReadinessDelayMs: 30_000,
  persistentVolumeBinderSyncPeriodMs: 15_000,
  forceDetachOnTimeout: true,
  legacyServiceAccountTokenCleanUpPeriodMs: 365 * 24 * 3600_000,
  concurrentSyncs: 5,
}
