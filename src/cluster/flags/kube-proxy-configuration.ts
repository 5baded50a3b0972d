import {
  boolean,
  duration,
  int32,
  list,
  map,
  message,
  number,
  omitempty,
  optional,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import type { ConfigKind } from './config-file.ts'

const name = (of: string) => `io.k8s.kube-proxy.config.v1alpha1.${of}`

const KubeProxyConfiguration = message(name('KubeProxyConfiguration'), {
  featureGates: omitempty(1, map(boolean)),
  clientConnection: optional(
    2,
    message(name('ClientConnectionConfiguration'), {
      kubeconfig: omitempty(1, string),
      acceptContentTypes: omitempty(2, string),
      contentType: omitempty(3, string),
      qps: optional(4, number),
      burst: optional(5, int32),
    }),
  ),
  logging: optional(
    3,
    message(name('LoggingConfiguration'), {
      format: omitempty(1, string),
      flushFrequency: optional(2, string),
      verbosity: optional(3, int32),
      vmodule: optional(4, list(map(string))),
      options: optional(5, map(map(string))),
    }),
  ),
  hostnameOverride: omitempty(4, string),
  bindAddress: omitempty(5, string),
  healthzBindAddress: omitempty(6, string),
  metricsBindAddress: omitempty(7, string),
  bindAddressHardFail: omitempty(8, boolean),
  enableProfiling: omitempty(9, boolean),
  showHiddenMetricsForVersion: omitempty(10, string),
  mode: omitempty(11, string),
  iptables: optional(
    12,
    message(name('KubeProxyIPTablesConfiguration'), {
      masqueradeBit: optional(1, int32),
      masqueradeAll: omitempty(2, boolean),
      localhostNodePorts: optional(3, boolean),
      syncPeriod: optional(4, duration),
      minSyncPeriod: optional(5, duration),
    }),
  ),
  ipvs: optional(
    13,
    message(name('KubeProxyIPVSConfiguration'), {
      syncPeriod: optional(1, duration),
      minSyncPeriod: optional(2, duration),
      scheduler: omitempty(3, string),
      excludeCIDRs: omitempty(4, list(string)),
      strictARP: omitempty(5, boolean),
      tcpTimeout: optional(6, duration),
      tcpFinTimeout: optional(7, duration),
      udpTimeout: optional(8, duration),
    }),
  ),
  nftables: optional(
    14,
    message(name('KubeProxyNFTablesConfiguration'), {
      masqueradeBit: optional(1, int32),
      masqueradeAll: omitempty(2, boolean),
      syncPeriod: optional(3, duration),
      minSyncPeriod: optional(4, duration),
    }),
  ),
  winkernel: optional(
    15,
    message(name('KubeProxyWinkernelConfiguration'), {
      networkName: omitempty(1, string),
      sourceVip: omitempty(2, string),
      enableDSR: omitempty(3, boolean),
      rootHnsEndpointName: omitempty(4, string),
      forwardHealthCheckVip: omitempty(5, boolean),
    }),
  ),
  detectLocalMode: omitempty(16, string),
  detectLocal: optional(
    17,
    message(name('DetectLocalConfiguration'), { bridgeInterface: omitempty(1, string), interfaceNamePrefix: omitempty(2, string) }),
  ),
  clusterCIDR: omitempty(18, string),
  nodePortAddresses: omitempty(19, list(string)),
  oomScoreAdj: optional(20, int32),
  conntrack: optional(
    21,
    message(name('KubeProxyConntrackConfiguration'), {
      maxPerCore: optional(1, int32),
      min: optional(2, int32),
      tcpEstablishedTimeout: optional(3, duration),
      tcpCloseWaitTimeout: optional(4, duration),
      tcpBeLiberal: optional(5, boolean),
      udpTimeout: optional(6, duration),
      udpStreamTimeout: optional(7, duration),
    }),
  ),
  configSyncPeriod: optional(22, duration),
  portRange: omitempty(23, string),
  windowsRunAsService: omitempty(24, boolean),
})
export interface KubeProxyConfiguration extends StoredOf<typeof KubeProxyConfiguration> {}

/** What `kube-proxy --config` reads. */
export const kubeProxyConfiguration: ConfigKind<KubeProxyConfiguration> = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  schema: KubeProxyConfiguration,
}

/** The fields that this proxy reads. */
const HONOURED = new Set([
  'clientConnection.kubeconfig',
  'clientConnection.qps',
  'clientConnection.burst',
  'hostnameOverride',
  'healthzBindAddress',
  'metricsBindAddress',
  'bindAddressHardFail',
  'mode',
  'iptables.masqueradeAll',
  'nftables.masqueradeAll',
  'clusterCIDR',
  'nodePortAddresses',
  'oomScoreAdj',
])

/** The fields of a configuration that ask for something and have no effect here, such as `ipvs.scheduler`. */
export function withoutEffect(config: KubeProxyConfiguration): string[] {
  return [...fieldsOf(config, '')].filter(path => !HONOURED.has(path))
}

/** What tools write down although nobody asked for anything: `0s`, null, empty lists. */
const UNASKED: ReadonlySet<unknown> = new Set([undefined, null, '', 0, false, '0s', '0.0.0.0'])

function* fieldsOf(value: object, before: string): Generator<string> {
  for (const [name, field] of Object.entries(value)) {
    if (UNASKED.has(field) || (Array.isArray(field) && field.length === 0)) continue
    if (typeof field === 'object' && !Array.isArray(field)) yield* fieldsOf(field as object, `${before}${name}.`)
    else yield `${before}${name}`
  }
}
