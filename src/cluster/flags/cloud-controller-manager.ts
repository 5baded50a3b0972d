import { CLOUD_CONTROLLER_NAMES } from '#cloud/cloud-controllers.ts'
import { boolean, checked, decimal, duration, FlagValueError, integer, list, oneOf, text, unapplied } from './flag.ts'
import type { FlagSections, Program } from './flag-set.ts'
import {
  delegatedAuthenticationFlags,
  delegatedAuthorizationFlags,
  featureGateFlags,
  leaderElectionFlags,
  logFlags,
  metricsFlags,
  profilingFlags,
  secureServingFlags,
} from './shared-flags.ts'

const AT_ONCE = 'controllers here work on as many objects at once as they wait for'

/** The controllers that entries of `--controllers` name, old names included; `*` and `-name` as they are. */
export function readCloudControllerNames(entries: readonly string[]): readonly string[] {
  return entries.map(entry => {
    if (entry === '*') return entry
    const minus = entry.startsWith('-') ? '-' : ''
    const name = CLOUD_CONTROLLER_NAMES[entry.slice(minus.length)]
    if (name === undefined) throw new FlagValueError(`"${entry.slice(minus.length)}" is not in the list of known controllers`)
    return minus + name
  })
}

/** The flags of upstream's cloud-controller-manager. */
export const cloudControllerManager = {
  name: 'cloud-controller-manager',
  about: 'The controllers of the place where the machines stand: nodes, routes and load balancers by way of a provider.',
  sections: {
    Generic: {
      'allocate-node-cidrs': boolean('Nodes have ranges of pod addresses, for which routes are set.'),
      'allow-untagged-cloud': unapplied(boolean('Of providers that mark what is theirs.')),
      'cidr-allocator-type': unapplied(oneOf(['RangeAllocator', 'CloudAllocator'], 'Who gives those ranges.', 'RangeAllocator')),
      'cloud-config': text('The file that tells the provider about the place.'),
      'cloud-provider': text('The provider: local.'),
      'cluster-cidr': text('The addresses of pods: routes outside of it are not touched.'),
      'cluster-name': unapplied(text('The name of the cluster.', 'kubernetes')),
      'configure-cloud-routes': boolean('Sets routes to the pods of nodes, if --allocate-node-cidrs.', true),
      'controller-start-interval': unapplied(duration('How long after one controller the next is started.')),
      controllers: checked(
        list('Which controllers run: * for all, a name, or -name.', ['*']),
        names => void readCloudControllerNames(names),
      ),
      'feature-gates': featureGateFlags['feature-gates'],
      'kube-api-burst': integer('How many requests at once beyond --kube-api-qps.', 30),
      'kube-api-content-type': unapplied(
        text('The form of requests.', 'application/vnd.kubernetes.protobuf'),
        'the client chooses the form',
      ),
      'kube-api-qps': decimal('How many requests per second; negative: any number.', 20),
      ...leaderElectionFlags('cloud-controller-manager'),
      'enable-leader-migration': unapplied(boolean('Whether the lead moves from another controller manager.')),
      'leader-migration-config': unapplied(text('How it does.')),
      'min-resync-period': unapplied(duration('How often everything is looked at again.', '12h0m0s'), 'controllers act on what changes'),
      'node-monitor-period': duration('How often machines of silent nodes are asked for.', '5s'),
      'route-reconciliation-period': duration('How soon a route that could not be set is tried again.', '10s'),
      'use-service-account-credentials': boolean('Each controller acts as an account of its own.'),
    },
    'Node controller': {
      'concurrent-node-syncs': unapplied(integer('How many nodes are worked on at once.', 1), AT_ONCE),
      'node-status-update-frequency': duration('How often the addresses of machines are asked for.', '5m0s'),
    },
    'Service controller': { 'concurrent-service-syncs': unapplied(integer('How many Services are worked on at once.', 1), AT_ONCE) },
    Webhook: {
      webhooks: unapplied(list('Webhooks of the provider.')),
      'webhook-bind-address': unapplied(text('Where they listen.', '0.0.0.0')),
      'webhook-cert-dir': unapplied(text('Where their certificate is kept.')),
      'webhook-secure-port': unapplied(integer('Their port.', 10_260)),
    },
    'Secure serving': secureServingFlags({ port: 10_258 }),
    Authentication: delegatedAuthenticationFlags,
    Authorization: delegatedAuthorizationFlags,
    Debugging: profilingFlags,
    Metrics: metricsFlags,
    Logs: logFlags,
    Misc: {
      'emulated-version': featureGateFlags['emulated-version'],
      'min-compatibility-version': featureGateFlags['min-compatibility-version'],
      kubeconfig: text('The file that says where the API server is and who asks.'),
      master: text('The address of the API server; counts before --kubeconfig.'),
    },
  },
} as const satisfies Program<FlagSections>
