import { StorageVersion, type StorageVersionStatus } from '#kinds/apiserverinternal/v1alpha1/storage-version.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'

const IDENTITY = 'apiserver.kubernetes.io/identity'
const BY_SERVER = 'versionOfServer'

/** Forgets what API servers that are gone have said about the versions in which they store. */
export const storageVersionGarbageCollectorController = defineController({
  name: 'storageversion-garbage-collector-controller',
  featureGates: ['APIServerIdentity', 'StorageVersionAPI'],
  reconciles: StorageVersion,
  watches: [
    mapped(StorageVersion, () => [], {
      [BY_SERVER]: ({ status }) => (status.storageVersions ?? []).map(({ apiServerID = '' }) => apiServerID),
    }),
    mapped(Lease, ({ metadata }, { reconciled }) =>
      metadata.namespace === 'kube-system' && metadata.labels?.[IDENTITY] ? reconciled.byIndex(BY_SERVER, metadata.name ?? '') : [],
    ),
  ],
  writes: [whole(StorageVersion), status(StorageVersion)],
  async reconcile(version, tools) {
    const alive = new Set<string>()
    for (const { apiServerID = '' } of version.status.storageVersions ?? []) if (await isAlive(apiServerID, tools)) alive.add(apiServerID)
    const next = planPruning(version, alive, tools.now)
    if (next === 'delete') {
      const preconditions = { uid: version.metadata.uid, resourceVersion: version.metadata.resourceVersion }
      await tools.client.delete(StorageVersion, version, { preconditions }).catch(error => {
        if (!isNotFound(error)) throw error
      })
    } else if (next !== 'keep') await tools.updateStatus(StorageVersion, version, next)
  },
})

/** What is left of a StorageVersion of which only these API servers are alive: all of it, nothing, or a status without the others. */
export function planPruning(
  { metadata, status }: StorageVersion,
  alive: ReadonlySet<string>,
  now: number,
): 'keep' | 'delete' | StorageVersionStatus {
  const before = status.storageVersions ?? []
  const storageVersions = before.filter(({ apiServerID = '' }) => alive.has(apiServerID))
  if (storageVersions.length === before.length) return 'keep'
  if (storageVersions.length === 0) return 'delete'
  const [first] = storageVersions
  const isCommon = storageVersions.every(({ encodingVersion }) => encodingVersion === first!.encodingVersion)
  const commonEncodingVersion = isCommon ? first!.encodingVersion : undefined
  const others = (status.conditions ?? []).filter(({ type }) => type !== ALL_EQUAL)
  const known = status.conditions?.find(({ type }) => type === ALL_EQUAL)
  const state = isCommon ? ('True' as const) : ('False' as const)
  const isSame = known?.status === state && commonEncodingVersion === status.commonEncodingVersion
  const condition = {
    type: ALL_EQUAL,
    status: state,
    observedGeneration: metadata.generation,
    lastTransitionTime: isSame ? known.lastTransitionTime : timeOf(now),
    reason: isCommon ? 'CommonEncodingVersionSet' : 'CommonEncodingVersionUnset',
    message: isCommon ? 'Common encoding version set' : 'Common encoding version unset',
  }
  return { storageVersions, commonEncodingVersion, conditions: [...others, condition] }
}

const ALL_EQUAL = 'AllEncodingVersionsEqual'

/** The cache may not know of a server that has just started: before something is forgotten the API is asked. */
async function isAlive(server: string, { client, get }: Tools): Promise<boolean> {
  const isIdentity = (lease: Lease | undefined) => lease?.metadata.labels?.[IDENTITY] === 'kube-apiserver'
  if (isIdentity(get(Lease, 'kube-system', server))) return true
  const lease = await client.get(Lease, { namespace: 'kube-system', name: server }).catch(error => {
    if (isNotFound(error)) return undefined
    throw error
  })
  return isIdentity(lease)
}
