import type { Client } from '#client/client.ts'
import { Namespace, type NamespaceStatus } from '#kinds/core/v1/namespace.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { isForbidden, isMethodNotSupported, isNotFound } from '#machinery/status/status-error.ts'
import { type ContentReport, conditionsOf, type Remaining, retryAfterMs } from './namespace.plan.ts'
import { defineController, status } from './runtime/define-controller.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { mapped } from './runtime/watches.ts'

/** Empties every namespace that is being deleted, then lets it go. */
export const namespaceController = defineController({
  name: 'namespace-controller',
  reconciles: Namespace,
  watches: [
    // The last pod of a namespace that goes away makes room for the rest.
    mapped(Pod, (pod, { reconciled }) => {
      const { namespace = '', deletionTimestamp } = pod.metadata
      return deletionTimestamp && reconciled.get('', namespace)?.metadata.deletionTimestamp ? [`/${namespace}`] : []
    }),
  ],
  writes: [status(Namespace), { kind: Namespace, subresource: 'finalize' }],
  concurrency: 50,
  async reconcile(namespace, tools) {
    const { deletionTimestamp, name = '' } = namespace.metadata
    const { finalizers = [] } = namespace.spec
    if (!deletionTimestamp || !finalizers.includes('kubernetes')) return
    const report = await emptyNamespace(name, tools.client, tools.kinds)
    const conditions = conditionsOf(report, namespace.status.conditions ?? [], tools.now)
    const phase: NamespaceStatus['phase'] = 'Terminating'
    const fresh = await tools.updateStatus(Namespace, namespace, { ...namespace.status, phase, conditions })
    if (report.remaining.length > 0 || report.failures.length > 0) {
      tools.again(retryAfterMs(report.remaining))
      return
    }
    const body = { ...fresh, spec: { ...fresh.spec, finalizers: finalizers.filter(finalizer => finalizer !== 'kubernetes') } }
    await tools.client.subresource(Namespace, namespace, { subresource: 'finalize', verb: 'update', body })
  },
})

/** Deletes what is in the namespace, pods first: what they use goes only when they are gone. */
async function emptyNamespace(namespace: string, client: Client, kinds: KindRegistry): Promise<ContentReport> {
  const pods = await emptyOf(Pod, namespace, client)
  if (pods) return { remaining: 'remaining' in pods ? [pods.remaining] : [], failures: 'failure' in pods ? [pods.failure] : [] }
  const rest = [...kinds.stored()].filter(kind => kind !== Pod && holdsContent(kind))
  const outcomes = await Promise.all(rest.map(kind => emptyOf(kind, namespace, client)))
  return {
    remaining: outcomes.flatMap(outcome => (outcome && 'remaining' in outcome ? [outcome.remaining] : [])),
    failures: outcomes.flatMap(outcome => (outcome && 'failure' in outcome ? [outcome.failure] : [])),
  }
}

function holdsContent({ scope, verbs }: AnyKind): boolean {
  return scope === 'Namespaced' && verbs.includes('delete') && verbs.includes('list')
}

type Outcome = { readonly remaining: Remaining } | { readonly failure: string } | undefined

/** Deletes all objects of a kind; tells what is still there. */
async function emptyOf(kind: AnyKind, namespace: string, client: Client): Promise<Outcome> {
  try {
    const before = await client.list(kind, { namespace })
    if (before.items.length === 0) return undefined
    await deleteAll(kind, namespace, before.items as readonly ApiObject[], client)
    const { items } = await client.list(kind, { namespace })
    return items.length === 0 ? undefined : { remaining: { kind, objects: items as readonly ApiObject[] } }
  } catch (error) {
    // A kind that was withdrawn meanwhile, or that cannot be listed, holds nothing to delete.
    if (isNotFound(error) || isMethodNotSupported(error)) return undefined
    return { failure: textOfError(error) }
  }
}

async function deleteAll(kind: AnyKind, namespace: string, objects: readonly ApiObject[], client: Client): Promise<void> {
  const options = { propagationPolicy: 'Background' as const }
  try {
    if (kind.verbs.includes('deletecollection')) return await client.deleteCollection(kind, { namespace, ...options })
  } catch (error) {
    if (!isMethodNotSupported(error) && !isForbidden(error)) throw error
  }
  for (const object of objects) {
    await client.delete(kind, object, options).catch(error => {
      if (!isNotFound(error)) throw error
    })
  }
}
