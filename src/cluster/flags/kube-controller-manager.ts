import { readControllerNames } from '#controllers/controllers.ts'
import { decidesOverControllers } from '#controllers/feature-gates.ts'
import { featureGates } from './feature-gates.ts'
import type { Flag } from './flag.ts'
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
const syncs = (what: string, defaultValue: number): Flag<number> =>
  unapplied(integer(`How many ${what} are worked on at once.`, defaultValue), AT_ONCE)

/** A certificate and key of one of the signers. */
function signerFlags<Name extends string>(name: Name, of: string) {
  const flags = {
    [`${name}-cert-file`]: text(`The certificate of the authority ${of}.`),
    [`${name}-key-file`]: text(`The key of the authority ${of}.`),
  }
  return flags as { readonly [Key in `${Name}-cert-file` | `${Name}-key-file`]: Flag<string> }
}

function checkNames(names: readonly string[]): void {
  try {
    readControllerNames(names)
  } catch (error) {
    throw new FlagValueError((error as Error).message)
  }
}

/** The flags of upstream's kube-controller-manager. */
export const kubeControllerManager = {
  name: 'kube-controller-manager',
  about: 'The controllers: each makes the cluster become what objects of one kind ask for.',
  sections: {
    Generic: {
      'allocate-node-cidrs': boolean('Gives each node a range of pod addresses.'),
      'cidr-allocator-type': unapplied(oneOf(['RangeAllocator', 'CloudAllocator'], 'Who gives those ranges.', 'RangeAllocator')),
      'cloud-config': unapplied(text('The file of the cloud provider.')),
      'cloud-provider': unapplied(text('The cloud provider.'), 'a cloud provider runs in cloud-controller-manager'),
      'cluster-cidr': text('The addresses of pods, of which nodes get ranges: one, or one of each family.'),
      'cluster-name': unapplied(text('The name of the cluster.', 'kubernetes')),
      'configure-cloud-routes': unapplied(
        boolean('Sets routes by the cloud provider.', true),
        'a cloud provider runs in cloud-controller-manager',
      ),
      'controller-shutdown-timeout': unapplied(
        duration('How long the controllers may take to end.', '10s'),
        'they end what is under way, and nothing else',
      ),
      'controller-start-interval': unapplied(duration('How long after one controller the next is started.')),
      controllers: checked(list('Which controllers run: * for all that are on by default, a name, or -name.', ['*']), checkNames),
      'external-cloud-volume-plugin': unapplied(text('Of cloud providers.')),
      'feature-gates': featureGates(decidesOverControllers),
      'kube-api-burst': integer('How many requests at once beyond --kube-api-qps.', 30),
      'kube-api-content-type': unapplied(
        text('The form of requests.', 'application/vnd.kubernetes.protobuf'),
        'the client chooses the form',
      ),
      'kube-api-qps': decimal('How many requests per second; negative: any number.', 20),
      ...leaderElectionFlags('kube-controller-manager'),
      'leader-migration-config': unapplied(text('How the lead moves to a cloud controller manager.')),
      'enable-leader-migration': unapplied(boolean('Whether it does.')),
      'min-resync-period': unapplied(duration('How often everything is looked at again.', '12h0m0s'), 'controllers act on what changes'),
      'node-monitor-period': duration('How often nodes are looked at.', '5s'),
      'route-reconciliation-period': unapplied(duration('How often routes are looked at.', '10s')),
      'use-service-account-credentials': boolean('Each controller acts as an account of its own.'),
    },
    'Attachdetach controller': {
      'attach-detach-reconcile-sync-period': unapplied(duration('How often attachments are compared.', '1m0s')),
      'disable-attach-detach-reconcile-sync': unapplied(boolean('Does not compare them.')),
      'disable-force-detach-on-timeout': boolean('Does not detach from a node that is gone.'),
    },
    'Certificatesigningrequest signing controller': {
      ...signerFlags('cluster-signing', 'of the cluster, for all signers'),
      'cluster-signing-duration': duration('How long signed certificates are good at most.', '8760h0m0s'),
      ...signerFlags('cluster-signing-kube-apiserver-client', 'for clients of the API server'),
      ...signerFlags('cluster-signing-kubelet-client', 'for kubelets'),
      ...signerFlags('cluster-signing-kubelet-serving', 'for the API of kubelets'),
      ...signerFlags('cluster-signing-legacy-unknown', 'for anything else'),
    },
    'Cronjob controller': { 'concurrent-cron-job-syncs': syncs('CronJobs', 5) },
    'Daemonset controller': { 'concurrent-daemonset-syncs': syncs('DaemonSets', 2) },
    'Deployment controller': { 'concurrent-deployment-syncs': syncs('Deployments', 5) },
    'Device taint eviction controller': { 'concurrent-device-taint-eviction-syncs': syncs('pods', 8) },
    'Disruption controller': { 'concurrent-disruption-syncs': syncs('PodDisruptionBudgets', 5) },
    'Endpoint controller': {
      'concurrent-endpoint-syncs': syncs('Endpoints', 5),
      'endpoint-updates-batch-period': unapplied(duration('How long changes are gathered.')),
    },
    'Endpointslice controller': {
      'concurrent-service-endpoint-syncs': syncs('Services', 5),
      'endpointslice-updates-batch-period': unapplied(duration('How long changes are gathered.')),
      'max-endpoints-per-slice': unapplied(
        integer('How many endpoints a slice has at most.', 100, { least: 1, most: 1000 }),
        'slices have up to 100 endpoints',
      ),
    },
    'Endpointslicemirroring controller': {
      'mirroring-concurrent-service-endpoint-syncs': syncs('Endpoints', 5),
      'mirroring-endpointslice-updates-batch-period': unapplied(duration('How long changes are gathered.')),
      'mirroring-max-endpoints-per-subset': unapplied(integer('How many endpoints of a subset are mirrored.', 1000)),
    },
    'Ephemeralvolume controller': { 'concurrent-ephemeralvolume-syncs': syncs('pods', 5) },
    'Garbagecollector controller': {
      'concurrent-gc-syncs': syncs('objects', 20),
      'enable-garbage-collector': boolean('Deletes what nobody owns any more.', true),
    },
    'Horizontalpodautoscaling controller': {
      'concurrent-horizontal-pod-autoscaler-syncs': syncs('HorizontalPodAutoscalers', 5),
      'horizontal-pod-autoscaler-cpu-initialization-period': duration('How long after its start a pod’s CPU does not count.', '5m0s'),
      'horizontal-pod-autoscaler-downscale-stabilization': duration('For how long the highest recommendation counts.', '5m0s'),
      'horizontal-pod-autoscaler-initial-readiness-delay': duration('How long a pod may become ready and unready at its start.', '30s'),
      'horizontal-pod-autoscaler-sync-period': duration('How often metrics are read.', '15s'),
      'horizontal-pod-autoscaler-tolerance': decimal('What change of a metric is let be.', 0.1),
    },
    'Job controller': { 'concurrent-job-syncs': syncs('Jobs', 5) },
    'Legacy service account token cleaner': {
      'legacy-service-account-token-clean-up-period': duration('After how long without use a token’s secret is deleted.', '8760h0m0s'),
    },
    'Namespace controller': {
      'concurrent-namespace-syncs': syncs('namespaces', 10),
      'namespace-sync-period': unapplied(duration('How often namespaces are looked at again.', '5m0s')),
    },
    'Nodeipam controller': {
      'node-cidr-mask-size': integer('How large the range of a node is (length of its prefix).', 0),
      'node-cidr-mask-size-ipv4': integer('The same for IPv4, with two families.', 0),
      'node-cidr-mask-size-ipv6': integer('The same for IPv6, with two families.', 0),
      'service-cluster-ip-range': text('The addresses of Services, which nodes do not get.'),
    },
    'Nodelifecycle controller': {
      'large-cluster-size-threshold': integer('From how many nodes on a zone counts as large.', 50),
      'node-eviction-rate': decimal('From how many nodes per second pods are evicted.', 0.1),
      'node-monitor-grace-period': duration('How long a node may be silent.', '50s'),
      'node-startup-grace-period': duration('How long a new node may be silent.', '1m0s'),
      'secondary-node-eviction-rate': decimal('The same when a zone is unhealthy.', 0.01),
      'unhealthy-zone-threshold': decimal('From which share of silent nodes on a zone is unhealthy.', 0.55),
    },
    'Persistentvolume-binder controller': {
      'enable-dynamic-provisioning': unapplied(
        boolean('Whether volumes are made.', true),
        'they are, by the provisioners of storage classes',
      ),
      'enable-hostpath-provisioner': unapplied(boolean('Makes volumes as directories, for tests.')),
      'flex-volume-plugin-dir': unapplied(text('Where flexvolume drivers are.', '/usr/libexec/kubernetes/kubelet-plugins/volume/exec/')),
      'pv-recycler-increment-timeout-nfs': unapplied(integer('Of recyclers.', 30)),
      'pv-recycler-minimum-timeout-hostpath': unapplied(integer('Of recyclers.', 60)),
      'pv-recycler-minimum-timeout-nfs': unapplied(integer('Of recyclers.', 300)),
      'pv-recycler-pod-template-filepath-hostpath': unapplied(text('Of recyclers.')),
      'pv-recycler-pod-template-filepath-nfs': unapplied(text('Of recyclers.')),
      'pv-recycler-timeout-increment-hostpath': unapplied(integer('Of recyclers.', 30)),
      'pvclaimbinder-sync-period': unapplied(duration('How often claims are looked at again.', '15s')),
    },
    'Podgc controller': { 'terminated-pod-gc-threshold': integer('How many ended pods are kept.', 12_500) },
    'Replicaset controller': { 'concurrent-replicaset-syncs': syncs('ReplicaSets', 5) },
    'Replicationcontroller controller': { 'concurrent-rc-syncs': syncs('ReplicationControllers', 5) },
    'Resourceclaim controller': { 'concurrent-resource-claim-syncs': syncs('ResourceClaims', 50) },
    'Resourcequota controller': {
      'concurrent-resource-quota-syncs': syncs('ResourceQuotas', 5),
      'resource-quota-sync-period': unapplied(duration('How often use is counted anew.', '5m0s'), 'use is counted when it changes'),
    },
    'Serviceaccount controller': {
      'concurrent-serviceaccount-token-syncs': syncs('secrets', 5),
      'root-ca-file': text('The authority that signs the API server, as pods get to know it.'),
      'service-account-private-key-file': text('The key that signs tokens kept in secrets.'),
    },
    'Statefulset controller': { 'concurrent-statefulset-syncs': syncs('StatefulSets', 5) },
    'Ttl-after-finished controller': { 'concurrent-ttl-after-finished-syncs': syncs('Jobs', 5) },
    'Validatingadmissionpolicystatus controller': {
      'concurrent-validating-admission-policy-status-syncs': syncs('policies', 5),
    },
    'Service controller': { 'concurrent-service-syncs': syncs('Services', 1) },
    'Secure serving': secureServingFlags({ port: 10_257 }),
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
