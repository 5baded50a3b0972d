/** The gates of upstream's that decide over the scheduler. */
const GATES: ReadonlySet<string> = new Set([
  'CoordinatedLeaderElection',
  'GenericWorkload',
  'GangScheduling',
  'NodeDeclaredFeatures',
  'TopologyAwareWorkloadScheduling',
  'AllAlpha',
  'AllBeta',
])

/** Whether a gate decides over the scheduler; `AllAlpha` and `AllBeta` do. */
export function decidesOverScheduler(name: string): boolean {
  return GATES.has(name)
}
