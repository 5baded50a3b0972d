/**
 * Whether a program compares its caches with the store when it ends, and fails if they differ: only if the environment says so, since on
 * etcd it is a read of all keys. The name is upstream's, whose tests set it as well.
 */
export function checksConsistency(variables: Readonly<Record<string, string | undefined>>): boolean {
  return variables['KUBE_WATCHCACHE_CONSISTENCY_CHECKER'] === 'true'
}
