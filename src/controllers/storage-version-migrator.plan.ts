import type { Condition } from '#kinds/meta/v1/condition.ts'
import type { StorageVersionMigration } from '#kinds/storagemigration/v1beta1/storage-version-migration.ts'
import { equal } from '#machinery/kind/draft.ts'
import { timeOf } from '#machinery/time/time.ts'

/** How a migration stands, and what comes next. */
export type MigrationStep =
  /** It has ended, and nothing is left to be done. */
  | 'rest'
  /** Another one of the same resource is at work, or was asked for earlier. */
  | 'wait'
  /** It is its turn. */
  | 'start'
  /** It is at work. */
  | 'migrate'
  /** It has ended, and still says that it is at work. */
  | 'clear'

/** The next step of a migration, given all that are there: of one resource one at a time is at work, the oldest first. */
export function planMigration(migration: StorageVersionMigration, all: readonly StorageVersionMigration[]): MigrationStep {
  if (hasEnded(migration)) return holds(migration, 'Running') ? 'clear' : 'rest'
  if (holds(migration, 'Running')) return 'migrate'
  const rivals = all.filter(other => equal(other.spec.resource, migration.spec.resource) && !hasEnded(other))
  if (rivals.some(other => holds(other, 'Running'))) return 'wait'
  const [first] = rivals.sort(
    (a, b) =>
      (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') ||
      (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''),
  )
  return !first || first.metadata.uid === migration.metadata.uid ? 'start' : 'wait'
}

export function hasEnded(migration: StorageVersionMigration): boolean {
  return holds(migration, 'Succeeded') || holds(migration, 'Failed')
}

export function holds({ status }: StorageVersionMigration, type: string): boolean {
  return status.conditions?.some(one => one.type === type && one.status === 'True') ?? false
}

/** The conditions with one more that holds; a migration that has ended no longer runs. */
export function conditionsWith(
  { metadata, status }: StorageVersionMigration,
  type: 'Running' | 'Succeeded' | 'Failed',
  message: string,
  now: number,
): readonly Condition[] {
  const others = withoutRunning(status.conditions).filter(one => one.type !== type)
  const condition = {
    type,
    status: 'True' as const,
    observedGeneration: metadata.generation,
    lastTransitionTime: timeOf(now),
    reason: `Migration${type}`,
    message,
  }
  return [...others, condition]
}

export function withoutRunning(conditions: readonly Condition[] = []): readonly Condition[] {
  return conditions.filter(({ type }) => type !== 'Running')
}
