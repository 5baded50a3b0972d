/** What pods take and quotas limit, by the names of quotas. */
export const COMPUTE_RESOURCES: ReadonlySet<string> = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])

/** Core kinds that a quota counts by their plain plural. */
export const COUNTED_KINDS: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
])

/** Everything that a quota counts in pieces by a name of its own. */
export const COUNTED_RESOURCES: ReadonlySet<string> = new Set([...COUNTED_KINDS, 'services.nodeports', 'services.loadbalancers'])
