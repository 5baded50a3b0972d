import { X509Certificate } from 'node:crypto'
import { certificateAuthority, readCertificateRequest } from '#base/pki/certificate-authority.ts'
import { tokenSigner } from '#base/pki/json-web-token.ts'
import type { Clock } from '#base/time/clock.ts'
import type { CertificateSigner, ControllerParameters } from '#controllers/runtime/parameters.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeControllerManager } from './kube-controller-manager.ts'
import { namedFile } from './named-file.ts'

type Flags = FlagValues<typeof kubeControllerManager.sections>

/** What kube-controller-manager's flags tell the controllers. Throws a SetupError for a file that cannot be read. */
export function controllerParameters(flags: Flags, clock: Clock): Partial<ControllerParameters> {
  const privateKey = namedFile('--service-account-private-key-file', flags['service-account-private-key-file'])
  const cidrs = flags['cluster-cidr'].split(',').filter(cidr => cidr !== '')
  const mask = flags['node-cidr-mask-size']
  return {
    rootCA: namedFile('--root-ca-file', flags['root-ca-file']),
    signServiceAccountToken: privateKey === undefined ? undefined : legacyTokens(privateKey),
    certificateSigner: signerOf(flags, clock),
    certificateDurationMs: flags['cluster-signing-duration'],
    clusterCIDRs: flags['allocate-node-cidrs'] ? cidrs : [],
    nodeCIDRMaskSizeIPv4: flags['node-cidr-mask-size-ipv4'] || mask || 24,
    nodeCIDRMaskSizeIPv6: flags['node-cidr-mask-size-ipv6'] || mask || 64,
    serviceCIDRs: flags['service-cluster-ip-range'].split(',').filter(cidr => cidr !== ''),
    nodeMonitorPeriodMs: flags['node-monitor-period'],
    nodeMonitorGracePeriodMs: flags['node-monitor-grace-period'],
    nodeStartupGracePeriodMs: flags['node-startup-grace-period'],
    nodeEvictionRate: flags['node-eviction-rate'],
    secondaryNodeEvictionRate: flags['secondary-node-eviction-rate'],
    unhealthyZoneThreshold: flags['unhealthy-zone-threshold'],
    largeClusterSizeThreshold: flags['large-cluster-size-threshold'],
    terminatedPodLimit: flags['terminated-pod-gc-threshold'],
    forceDetachOnTimeout: !flags['disable-force-detach-on-timeout'],
    legacyServiceAccountTokenCleanUpPeriodMs: flags['legacy-service-account-token-clean-up-period'],
    horizontalPodAutoscalerSyncPeriodMs: flags['horizontal-pod-autoscaler-sync-period'],
    horizontalPodAutoscalerTolerance: flags['horizontal-pod-autoscaler-tolerance'],
    horizontalPodAutoscalerDownscaleStabilizationMs: flags['horizontal-pod-autoscaler-downscale-stabilization'],
    horizontalPodAutoscalerCpuInitializationPeriodMs: flags['horizontal-pod-autoscaler-cpu-initialization-period'],
    horizontalPodAutoscalerInitialReadinessDelayMs: flags['horizontal-pod-autoscaler-initial-readiness-delay'],
  }
}

function legacyTokens(privateKey: string): ControllerParameters['signServiceAccountToken'] {
  const signer = tokenSigner(privateKey)
  return ({ namespace, serviceAccount, serviceAccountUid, secret }) =>
    signer.sign({
      iss: 'kubernetes/serviceaccount',
      sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secret,
      'kubernetes.io/serviceaccount/service-account.name': serviceAccount,
      'kubernetes.io/serviceaccount/service-account.uid': serviceAccountUid,
    })
}

/** Signers by the flags of their authorities. */
const SIGNERS = ['kube-apiserver-client', 'kubelet-client', 'kubelet-serving', 'legacy-unknown'] as const

/** Each signer may have an authority of its own; the one for all serves where it has none. */
function signerOf(flags: Flags, clock: Clock): CertificateSigner | undefined {
  const read = (name: 'cluster-signing' | `cluster-signing-${(typeof SIGNERS)[number]}`) => {
    const certificate = namedFile(`--${name}-cert-file`, flags[`${name}-cert-file`])
    const privateKey = namedFile(`--${name}-key-file`, flags[`${name}-key-file`])
    return certificate === undefined || privateKey === undefined ? undefined : certificateAuthority(clock, { certificate, privateKey })
  }
  const common = read('cluster-signing')
  const own = new Map(SIGNERS.map(name => [name, read(`cluster-signing-${name}`) ?? common]))
  if ([...own.values()].every(authority => authority === undefined)) return undefined
  return {
    parse: readCertificateRequest,
    async sign({ requestPem, signerName, usages, durationMs }) {
      const name = signerName.replace('kubernetes.io/', '').replace('kube-apiserver-client-kubelet', 'kubelet-client')
      const authority = own.get(name as 'kubelet-client')
      if (!authority) throw new Error(`no authority signs for ${signerName}: give --cluster-signing-${name}-cert-file and -key-file`)
      const known = (['server', 'client'] as const).filter(usage => usages.includes(`${usage} auth`))
      return authority.sign(requestPem, { usages: known, validSeconds: Math.floor(durationMs / 1000) })
    },
    notAfter: async pem => Date.parse(new X509Certificate(pem).validTo),
  }
}
