import { decidesOverScheduler } from '#scheduler/feature-gates.ts'
import { featureGates } from './feature-gates.ts'
import { decimal, integer, text, unapplied } from './flag.ts'
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

/** The flags of upstream's kube-scheduler. */
export const kubeScheduler = {
  name: 'kube-scheduler',
  about: 'The scheduler: chooses a node for every pod that has none.',
  sections: {
    Misc: {
      config: text('A KubeSchedulerConfiguration. Flags that stand on the command line count before it.'),
      master: text('The address of the API server; counts before --kubeconfig.'),
      'write-config-to': text('Writes the configuration with its defaults to this file and ends.'),
    },
    'Secure serving': secureServingFlags({ port: 10_259 }),
    Authentication: delegatedAuthenticationFlags,
    Authorization: delegatedAuthorizationFlags,
    Deprecated: {
      ...profilingFlags,
      'kube-api-burst': integer('How many requests at once beyond --kube-api-qps.', 100),
      'kube-api-content-type': unapplied(
        text('The form of requests.', 'application/vnd.kubernetes.protobuf'),
        'the client chooses the form',
      ),
      'kube-api-qps': decimal('How many requests per second; negative: any number.', 50),
      kubeconfig: text('The file that says where the API server is and who asks.'),
      'pod-max-in-unschedulable-pods-duration': unapplied(text('After how long a pod that fits nowhere is tried regardless.', '5m0s')),
    },
    'Leader election': leaderElectionFlags('kube-scheduler'),
    'Feature gate': { ...featureGateFlags, 'feature-gates': featureGates(decidesOverScheduler) },
    Metrics: metricsFlags,
    Logs: logFlags,
  },
} as const satisfies Program<FlagSections>
