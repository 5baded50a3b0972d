import {
  anyJson,
  boolean,
  defaulted,
  duration,
  int32,
  list,
  message,
  number,
  omitempty,
  optional,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'

/* KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1), as upstream's scheduler reads it from `--config`. */

const name = (of: string) => `io.k8s.kube-scheduler.config.v1.${of}`

const Plugin = message(name('Plugin'), {
  name: omitempty(1, string, 'Which plugin; * stands for all default ones in `disabled`.'),
  weight: omitempty(2, int32, 'How much its score counts; 0: as by default.'),
})

const PluginSet = message(name('PluginSet'), {
  enabled: omitempty(1, list(Plugin), 'Plugins to use besides the default ones, or with another weight, in this order.'),
  disabled: omitempty(2, list(Plugin), 'Default plugins to leave out.'),
})
export interface PluginSet extends StoredOf<typeof PluginSet> {}

const Plugins = message(name('Plugins'), {
  preEnqueue: optional(1, PluginSet),
  queueSort: optional(2, PluginSet),
  preFilter: optional(3, PluginSet),
  filter: optional(4, PluginSet),
  postFilter: optional(5, PluginSet),
  preScore: optional(6, PluginSet),
  score: optional(7, PluginSet),
  reserve: optional(8, PluginSet),
  permit: optional(9, PluginSet),
  preBind: optional(10, PluginSet),
  bind: optional(11, PluginSet),
  postBind: optional(12, PluginSet),
  placementGenerate: optional(14, PluginSet),
  placementScore: optional(15, PluginSet),
  multiPoint: optional(13, PluginSet, 'For all extension points that a plugin has.'),
})
export interface Plugins extends StoredOf<typeof Plugins> {}

const PluginConfig = message(name('PluginConfig'), {
  name: omitempty(1, string),
  args: optional(2, anyJson, 'What the plugin needs to know; its own kind of object.'),
})

const KubeSchedulerProfile = message(name('KubeSchedulerProfile'), {
  schedulerName: optional(1, string, 'Pods choose the profile by this name. Default: default-scheduler.'),
  percentageOfNodesToScore: optional(2, int32),
  plugins: optional(3, Plugins),
  pluginConfig: omitempty(4, list(PluginConfig)),
})
export interface KubeSchedulerProfile extends StoredOf<typeof KubeSchedulerProfile> {}

const ExtenderManagedResource = message(name('ExtenderManagedResource'), {
  name: omitempty(1, string),
  ignoredByScheduler: omitempty(2, boolean),
})

const ExtenderTLSConfig = message(name('ExtenderTLSConfig'), {
  insecure: omitempty(1, boolean),
  serverName: omitempty(2, string),
  certFile: omitempty(3, string),
  keyFile: omitempty(4, string),
  caFile: omitempty(5, string),
  certData: omitempty(6, string),
  keyData: omitempty(7, string),
  caData: omitempty(8, string),
})

const Extender = message(name('Extender'), {
  urlPrefix: omitempty(1, string, 'Where it answers; the verbs stand behind it.'),
  filterVerb: omitempty(2, string, 'Absent: it does not filter. The others likewise.'),
  preemptVerb: omitempty(3, string),
  prioritizeVerb: omitempty(4, string),
  weight: omitempty(5, int32, 'What its scores are multiplied by.'),
  bindVerb: omitempty(6, string),
  enableHTTPS: omitempty(7, boolean),
  tlsConfig: optional(8, ExtenderTLSConfig),
  httpTimeout: optional(9, duration),
  nodeCacheCapable: omitempty(10, boolean, 'It knows the nodes: names are enough.'),
  managedResources: omitempty(11, list(ExtenderManagedResource), 'It is asked only about pods that request one of these.'),
  ignorable: omitempty(12, boolean, 'Scheduling goes on when it does not answer.'),
})
export interface Extender extends StoredOf<typeof Extender> {}

const ClientConnection = message(name('ClientConnectionConfiguration'), {
  kubeconfig: omitempty(1, string),
  acceptContentTypes: omitempty(2, string),
  contentType: omitempty(3, string),
  qps: optional(4, number),
  burst: optional(5, int32),
})

const LeaderElection = message(name('LeaderElectionConfiguration'), {
  leaderElect: optional(1, boolean),
  leaseDuration: optional(2, duration),
  renewDeadline: optional(3, duration),
  retryPeriod: optional(4, duration),
  resourceLock: omitempty(5, string),
  resourceName: omitempty(6, string),
  resourceNamespace: omitempty(7, string),
})

export const KubeSchedulerConfiguration = message(name('KubeSchedulerConfiguration'), {
  parallelism: defaulted(1, int32, 16),
  leaderElection: optional(2, LeaderElection),
  clientConnection: optional(3, ClientConnection),
  healthzBindAddress: optional(4, string),
  metricsBindAddress: optional(5, string),
  enableProfiling: optional(6, boolean),
  enableContentionProfiling: optional(7, boolean),
  percentageOfNodesToScore: optional(8, int32),
  podInitialBackoffSeconds: defaulted(9, int32, 1),
  podMaxBackoffSeconds: defaulted(10, int32, 10),
  profiles: omitempty(11, list(KubeSchedulerProfile)),
  extenders: omitempty(12, list(Extender)),
  delayCacheUntilActive: omitempty(13, boolean),
})
export interface KubeSchedulerConfiguration extends StoredOf<typeof KubeSchedulerConfiguration> {}
