import type { NamespaceCondition } from '#kinds/core/v1/namespace.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { timeOf } from '#machinery/time/time.ts'

/** Objects of a kind that are still in a namespace after they were asked to go. */
export interface Remaining {
  readonly kind: AnyKind
  readonly objects: readonly ApiObject[]
}

/** What an attempt to empty a namespace came to. */
export interface ContentReport {
  readonly remaining: readonly Remaining[]
  readonly failures: readonly string[]
}

/** The conditions that tell of it, in upstream's words. */
export function conditionsOf(report: ContentReport, present: readonly NamespaceCondition[], now: number): NamespaceCondition[] {
  const { remaining, failures } = report
  const finalizers = countFinalizers(remaining)
  const said: [type: string, problem: string | undefined, problemReason: string, goodReason: string, goodMessage: string][] = [
    ['NamespaceDeletionDiscoveryFailure', undefined, '', 'ResourcesDiscovered', 'All resources successfully discovered'],
    ['NamespaceDeletionGroupVersionParsingFailure', undefined, '', 'ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    [
      'NamespaceDeletionContentFailure',
      failures.length === 0 ? undefined : `Failed to delete all resource types, ${failures.length} remaining: ${failures.join(', ')}`,
      'ContentDeletionFailed',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ],
    [
      'NamespaceContentRemaining',
      remaining.length === 0 ? undefined : `Some resources are remaining: ${remaining.map(remainingText).sort().join(', ')}`,
      'SomeResourcesRemain',
      'ContentRemoved',
      'All content successfully removed',
    ],
    [
      'NamespaceFinalizersRemaining',
      finalizers.length === 0 ? undefined : `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`,
      'SomeFinalizersRemain',
      'ContentHasNoFinalizers',
      'All content-preserving finalizers finished',
    ],
  ]
  return said.map(([type, problem, problemReason, goodReason, goodMessage]) => {
    const status = problem === undefined ? 'False' : 'True'
    const former = present.find(condition => condition.type === type)
    const lastTransitionTime = former?.status === status ? former.lastTransitionTime : timeOf(now)
    return { type, status, lastTransitionTime, reason: problem === undefined ? goodReason : problemReason, message: problem ?? goodMessage }
  })
}

/** How long to wait before looking again: about half of what the slowest pod may take. */
export function retryAfterMs(remaining: readonly Remaining[]): number {
  let longestSeconds = 0
  for (const { kind, objects } of remaining) {
    for (const { metadata } of objects) {
      const ownSeconds = kind.kind === 'Pod' ? (metadata.deletionGracePeriodSeconds ?? 0) : metadata.finalizers?.length ? 15 : 0
      longestSeconds = Math.max(longestSeconds, ownSeconds)
    }
  }
  return (longestSeconds / 2 + 1) * 1000
}

const remainingText = ({ kind, objects }: Remaining) => `${kind.plural}.${kind.group} has ${objects.length} resource instances`

function countFinalizers(remaining: readonly Remaining[]): string[] {
  const counts = new Map<string, number>()
  for (const { objects } of remaining) {
    for (const { metadata } of objects) {
      for (const finalizer of metadata.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1)
    }
  }
  return [...counts].map(([finalizer, count]) => `${finalizer} in ${count} resource instances`).sort()
}
