import { type ShallowDraft, shallowDraft } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { notFound } from '#machinery/status/failures.ts'
import type { Core } from './core.ts'
import { cacheKey, revisionOf } from './object-store.ts'

/** Which stored object. */
export interface StoredName {
  readonly kind: AnyKind
  readonly namespace: string
  readonly name: string
}

/**
 * Changes a stored object on the server's own account: without admission, preparation or validation. `step` replaces fields of a draft and is
 * asked anew when somebody else was faster; false leaves the object as it is.
 */
export async function rewrite(
  core: Core,
  { kind, namespace, name }: StoredName,
  step: (object: ShallowDraft<ApiObject>) => unknown,
  options: { readonly dryRun?: boolean } = {},
): Promise<ApiObject> {
  const behind = core.objects.caughtUp()
  if (behind) await behind
  for (;;) {
    const key = cacheKey(namespace, name)
    const current = core.objects.cacheOf(kind).get(key)
    if (!current) core.objects.refuseUnreadable(kind, key)
    if (!current) throw notFound({ group: kind.group, resource: kind.plural }, name)
    const next = shallowDraft(current)
    if (step(next) === false) return current
    if (options.dryRun) return next
    const stored = await core.objects.put(kind, next, revisionOf(current), core.behaviours.of(kind)?.lifetimeSeconds)
    if (stored) return stored
  }
}
