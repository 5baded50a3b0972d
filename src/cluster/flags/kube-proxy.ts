import { boolean, decimal, duration, integer, ip, list, oneOf, text, unapplied } from './flag.ts'
import type { FlagSections, Program } from './flag-set.ts'
import { featureGateFlags, logFlags, metricsFlags, profilingFlags } from './shared-flags.ts'

const NO_IPTABLES = 'nftables writes the rules'
const NO_IPVS = 'there is no IPVS here'
const LATER = 'rules are written as soon as something changes'

/** The flags of upstream's kube-proxy. */
export const kubeProxy = {
  name: 'kube-proxy',
  about: 'The proxy of a node: leads connections to Services to the pods behind them, by nftables in the network it runs in.',
  sections: {
    Misc: {
      'bind-address': unapplied(ip('The address of the node, if it is not 0.0.0.0.', '0.0.0.0'), 'the Node tells its addresses'),
      'bind-address-hard-fail': boolean('Ends if a port to serve on is taken.'),
      cleanup: boolean('Removes the rules and ends.'),
      'cluster-cidr': text('The addresses of pods: what comes from elsewhere is translated.'),
      config: text('A KubeProxyConfiguration. When given, other flags do not count.'),
      'config-sync-period': unapplied(duration('How often everything is read again.', '15m0s'), 'it watches'),
      'conntrack-max-per-core': unapplied(
        integer('How many connections per core are tracked.', 32_768),
        'the machine’s limits are left alone',
      ),
      'conntrack-min': unapplied(integer('How many connections are tracked at least.', 131_072), 'the machine’s limits are left alone'),
      'conntrack-tcp-be-liberal': unapplied(boolean('Lets packets out of the window pass.'), 'the machine’s limits are left alone'),
      'conntrack-tcp-timeout-close-wait': unapplied(duration('When a half-closed connection is forgotten.', '1h0m0s')),
      'conntrack-tcp-timeout-established': unapplied(duration('When a silent connection is forgotten.', '24h0m0s')),
      'conntrack-udp-timeout': unapplied(duration('When an unanswered UDP flow is forgotten.')),
      'conntrack-udp-timeout-stream': unapplied(duration('When a silent UDP flow is forgotten.')),
      'detect-local-mode': unapplied(
        oneOf(['', 'ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'], 'How own pods are told.', ''),
      ),
      'healthz-bind-address': text('Where /healthz is answered.', '0.0.0.0:10256'),
      'healthz-port': unapplied(integer('The port of --healthz-bind-address.', 10_256), 'use --healthz-bind-address'),
      'hostname-override': text('The name of the node. Default: that of the machine.'),
      'init-only': boolean('Does what needs all privileges and ends.'),
      'iptables-localhost-nodeports': unapplied(boolean('Whether node ports answer on loopback.', true), NO_IPTABLES),
      'iptables-masquerade-bit': unapplied(integer('The mark of packets to translate.', 14), NO_IPTABLES),
      'iptables-min-sync-period': unapplied(duration('The least time between two writings.', '1s'), LATER),
      'iptables-sync-period': unapplied(duration('How often rules are written anew.', '30s'), LATER),
      'ipvs-exclude-cidrs': unapplied(list('Addresses of IPVS to leave alone.'), NO_IPVS),
      'ipvs-min-sync-period': unapplied(duration('The least time between two writings.', '1s'), NO_IPVS),
      'ipvs-scheduler': unapplied(text('How IPVS chooses.'), NO_IPVS),
      'ipvs-strict-arp': unapplied(boolean('Answers ARP strictly.'), NO_IPVS),
      'ipvs-sync-period': unapplied(duration('How often rules are written anew.', '30s'), NO_IPVS),
      'ipvs-tcp-timeout': unapplied(duration('When IPVS forgets a connection.'), NO_IPVS),
      'ipvs-tcpfin-timeout': unapplied(duration('When IPVS forgets a closed connection.'), NO_IPVS),
      'ipvs-udp-timeout': unapplied(duration('When IPVS forgets a UDP flow.'), NO_IPVS),
      'kube-api-burst': integer('How many requests at once beyond --kube-api-qps.', 10),
      'kube-api-content-type': unapplied(
        text('The form of requests.', 'application/vnd.kubernetes.protobuf'),
        'the client chooses the form',
      ),
      'kube-api-qps': decimal('How many requests per second; negative: any number.', 5),
      kubeconfig: text('The file that says where the API server is and who asks.'),
      'masquerade-all': boolean('Translates the source of all connections to Services.'),
      master: text('The address of the API server; counts before --kubeconfig.'),
      'metrics-bind-address': text('Where /metrics is answered.', '127.0.0.1:10249'),
      'metrics-port': unapplied(integer('The port of --metrics-bind-address.', 10_249), 'use --metrics-bind-address'),
      'nodeport-addresses': list('The addresses at which node ports answer, as ranges; primary: those of the Node.'),
      'oom-score-adj': integer('How willingly the kernel kills this process (-1000 … 1000).', -999, { least: -1000, most: 1000 }),
      'pod-bridge-interface': unapplied(text('The bridge of own pods.')),
      'pod-interface-name-prefix': unapplied(text('What the interfaces of own pods begin with.')),
      ...profilingFlags,
      'proxy-mode': oneOf(['', 'nftables', 'iptables', 'ipvs'], 'How rules are written; nftables is the one there is.', ''),
      'show-hidden-metrics-for-version': metricsFlags['show-hidden-metrics-for-version'],
      'windows-dsr': unapplied(boolean('Of Windows.')),
      'windows-network-name': unapplied(text('Of Windows.')),
      'windows-root-hnsendpoint-name': unapplied(text('Of Windows.')),
      'windows-forward-healthcheck-vip': unapplied(boolean('Of Windows.')),
      'write-config-to': text('Writes the configuration with its defaults to this file and ends.'),
    },
    'Feature gate': featureGateFlags,
    Logs: logFlags,
  },
} as const satisfies Program<FlagSections>
