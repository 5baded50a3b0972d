import { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { StorageVersionMigration } from '#kinds/storagemigration/v1beta1/storage-version-migration.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { isConflict, isNotFound, StatusError } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import { defineController, status, type Tools } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'
import { conditionsWith, planMigration, withoutRunning } from './storage-version-migrator.plan.ts'

const MANAGER = 'storage-version-migrator-controller'
/** A custom resource that was just defined becomes known a little later. */
const UNKNOWN_FOR_MS = 60_000
const LOOK_AGAIN_MS = 5_000
const PAGE = 500

/** Has every object of a resource stored anew: each is written as it is, and the API server does so in the version and encryption of today. */
export const storageVersionMigratorController = defineController({
  name: 'storage-version-migrator-controller',
  featureGates: ['StorageVersionMigrator'],
  reconciles: StorageVersionMigration,
  watches: [
    // The end of one is the turn of the next.
    mapped(StorageVersionMigration, (_, { reconciled }) => reconciled.list()),
    mapped(CustomResourceDefinition, () => []),
  ],
  writes: [status(StorageVersionMigration), status(CustomResourceDefinition)],
  async reconcile(migration, tools) {
    const step = planMigration(migration, tools.list(StorageVersionMigration))
    if (step === 'start') await start(migration, tools)
    else if (step === 'migrate') await migrate(migration, tools)
    else if (step === 'clear') {
      const { conditions } = migration.status
      await tools.updateStatus(StorageVersionMigration, migration, { ...migration.status, conditions: withoutRunning(conditions) })
    }
  },
})

/** Notes down of which moment everything older is to be written, and that it has begun. */
async function start(migration: StorageVersionMigration, tools: Tools): Promise<void> {
  const kind = kindOf(migration, tools.kinds)
  if (!kind) {
    const { creationTimestamp = '' } = migration.metadata
    if (Date.parse(creationTimestamp) + UNKNOWN_FOR_MS > tools.now) return tools.again(LOOK_AGAIN_MS)
    return end(migration, 'Failed', 'resource does not exist in discovery', tools)
  }
  const { metadata } = await tools.client.list(kind, { limit: 1 })
  const definition = definitionOf(migration, tools)
  if (definition) await tell(definition, 'True', 'MigrationRunning', `Migration ${migration.metadata.name} is running`, tools)
  const conditions = conditionsWith(migration, 'Running', 'The migration is running', tools.now)
  await tools.updateStatus(StorageVersionMigration, migration, { resourceVersion: metadata.resourceVersion, conditions })
}

/** Writes every object anew that has not changed since: who changes one has it stored anew as well, and one that is gone needs no more. */
async function migrate(migration: StorageVersionMigration, tools: Tools): Promise<void> {
  const { client, kinds, signal } = tools
  const kind = kindOf(migration, kinds)
  if (!kind) return end(migration, 'Failed', 'resource not found', tools)
  const until = BigInt(migration.status.resourceVersion ?? '0')
  let next: string | undefined
  do {
    const page = await client.list(kind, { limit: PAGE, ...(next === undefined ? {} : { continue: next }) })
    for (const object of page.items as readonly ApiObject[]) {
      if (signal.aborted) return
      if (BigInt(object.metadata.resourceVersion ?? '0') > until) continue
      const failure = await rewrite(kind, object, tools)
      if (failure !== undefined) return end(migration, 'Failed', failure, tools)
    }
    next = page.metadata.continue
  } while (next)
  await end(migration, 'Succeeded', 'The migration has succeeded', tools)
}

/** What keeps an object from being written as it is, for good; undefined if it was written or need not be. Passing trouble is thrown. */
async function rewrite(kind: AnyKind, object: ApiObject, { client }: Tools): Promise<string | undefined> {
  const { name = '', namespace, uid, resourceVersion } = object.metadata
  // Uid and version keep what is gone or has changed from being written: that is a conflict.
  const body = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, namespace, uid, resourceVersion } }
  try {
    await client.patch(kind, { name, namespace }, { type: 'apply', body }, { fieldManager: MANAGER })
  } catch (error) {
    if (isConflict(error) || isNotFound(error)) return undefined
    const isForGood = error instanceof StatusError && error.code >= 400 && error.code < 500 && error.code !== 429
    if (!isForGood) throw error
    return `migration encountered unhandled error: ${kind.plural} ${namespace ? `${namespace}/` : ''}${name}: ${error.message}`
  }
  return undefined
}

async function end(migration: StorageVersionMigration, type: 'Succeeded' | 'Failed', message: string, tools: Tools): Promise<void> {
  const definition = definitionOf(migration, tools)
  if (definition) {
    const mark = definition.status.conditions?.find(one => one.type === STORAGE_MIGRATING)
    const isSame = mark?.observedGeneration === definition.metadata.generation
    const stored = isSame ? definition.spec.versions.find(({ storage }) => storage)?.name : undefined
    const rest = isSame
      ? 'and the stored versions have been updated'
      : 'but the stored versions have not been updated due to a generation mismatch'
    if (type === 'Succeeded') await tell(definition, 'False', 'MigrationSucceeded', `The migration has succeeded ${rest}`, tools, stored)
    else await tell(definition, 'False', 'MigrationFailed', 'The migration has failed', tools)
  }
  const conditions = conditionsWith(migration, type, message, tools.now)
  await tools.updateStatus(StorageVersionMigration, migration, { ...migration.status, conditions })
}

const STORAGE_MIGRATING = 'StorageMigrating'

/** Tells a definition how its migration stands; when it is done, `stored` is the only version in which objects are. */
async function tell(
  { metadata }: CustomResourceDefinition,
  state: 'True' | 'False',
  reason: string,
  message: string,
  { client, now }: Tools,
  stored?: string,
): Promise<void> {
  const { name = '', generation: observedGeneration } = metadata
  const condition = { type: STORAGE_MIGRATING, status: state, reason, message, lastTransitionTime: timeOf(now), observedGeneration }
  const body = {
    apiVersion: CustomResourceDefinition.apiVersion,
    kind: CustomResourceDefinition.kind,
    metadata: { name },
    status: { conditions: [condition], ...(stored === undefined ? {} : { storedVersions: [stored] }) },
  }
  await client.patch(
    CustomResourceDefinition,
    { name },
    { type: 'apply', body, force: true },
    { subresource: 'status', fieldManager: MANAGER },
  )
}

function definitionOf({ spec: { resource } }: StorageVersionMigration, { get }: Tools): CustomResourceDefinition | undefined {
  return get(CustomResourceDefinition, '', `${resource.resource}.${resource.group}`)
}

/** The kind in which the objects of a resource are stored. */
function kindOf({ spec: { resource } }: StorageVersionMigration, kinds: KindRegistry): AnyKind | undefined {
  for (const kind of kinds.stored()) {
    const isIt = kind.group === resource.group && kind.plural === resource.resource
    if (isIt && ['list', 'patch'].every(verb => kind.verbs.includes(verb as 'list'))) return kind
  }
  return undefined
}
