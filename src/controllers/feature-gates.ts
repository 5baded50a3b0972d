/** The gates of upstream's that decide over controllers. */
const GATES: ReadonlySet<string> = new Set([
  'APIServerIdentity',
  'StorageVersionAPI',
  'ClusterTrustBundle',
  'PodCertificateRequest',
  'DynamicResourceAllocation',
  'DRADeviceTaints',
  'DRADeviceTaintRules',
  'DRAResourcePoolStatus',
  'GenericWorkload',
  'CoordinatedLeaderElection',
  'StorageVersionMigrator',
  'SELinuxChangePolicy',
  'MultiCIDRServiceAllocator',
  'SeparateTaintEvictionController',
  'AllAlpha',
  'AllBeta',
])

/** Whether a gate decides over a controller; `AllAlpha` and `AllBeta` do. */
export function decidesOverControllers(name: string): boolean {
  return GATES.has(name)
}
