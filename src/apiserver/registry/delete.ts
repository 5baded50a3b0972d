import type { DeleteOptions } from '#client/client.ts'
import { metadataDraft } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { conflict, notFound } from '#machinery/status/failures.ts'
import { admissionOf } from './admission-of.ts'
import type { Behaviour } from './behaviour.ts'
import { type Core, timestamp } from './core.ts'
import { resourceOf } from './create.ts'
import { cacheKey, cacheKeyOf, revisionOf } from './object-store.ts'
import { asWritten, converted, show, storedKindOf } from './views.ts'
import type { WriteRequest } from './write-request.ts'

/** An object that is gone, or that has begun to go. */
export interface Deleted {
  readonly object: ApiObject
  readonly gone: boolean
}

/** Deletes an object: at once, or after its grace period and once its finalizers have let go. */
export async function remove(core: Core, request: WriteRequest, options: DeleteOptions): Promise<Deleted> {
  const kind = storedKindOf(request.kind)
  const key = cacheKey(request.namespace, request.name)
  const behind = core.objects.caughtUp()
  if (behind) await behind
  for (;;) {
    const current = core.objects.cacheOf(kind).get(key)
    if (!current) core.objects.refuseUnreadable(kind, key)
    if (!current) throw notFound(resourceOf(request), request.name)
    await admit(core, request, options, await converted(() => asWritten(request.kind, current)))
    const deleted = await tryRemove(core, request, options, kind, current)
    if (deleted) return { ...deleted, object: await converted(() => show(request.kind, deleted.object)) }
  }
}

/** Whether an update leaves an object that nothing keeps any longer. */
export function isReadyToGo(behaviour: Behaviour | undefined, object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata
  if (!deletionTimestamp || finalizers?.length || behaviour?.isHeld?.(object)) return false
  return (deletionGracePeriodSeconds ?? 0) === 0
}

/** Takes the object out of the store; undefined if it has changed since. */
export async function removeNow(core: Core, kind: AnyKind, current: ApiObject): Promise<ApiObject | undefined> {
  const removed = await core.objects.remove(kind, current)
  if (removed) await core.behaviours.of(kind)?.afterDelete?.(current)
  return removed
}

async function tryRemove(
  core: Core,
  request: WriteRequest,
  options: DeleteOptions,
  kind: AnyKind,
  current: ApiObject,
): Promise<Deleted | undefined> {
  const behaviour = core.behaviours.of(kind)
  behaviour?.checkDelete?.(current, options)
  checkPreconditions(request, options, current)
  for (const text of behaviour?.deleteWarnings?.(options) ?? []) request.caller.warn?.(text)
  const plan = planDelete(current, options, {
    behaviour,
    now: core.clock.now(),
    orphansByDefault: kind.defaultPropagation === 'Orphan',
  })
  if (plan.isPending) return { object: current, gone: false }
  if (request.dryRun) return { object: plan.next ?? current, gone: plan.goesNow }
  if (plan.next && plan.goesNow) return markAndRemove(core, kind, plan.next, current)
  if (plan.next) {
    const stored = await core.objects.put(kind, plan.next, revisionOf(current), behaviour?.lifetimeSeconds)
    return stored && { object: stored, gone: false }
  }
  if (!plan.goesNow) return { object: current, gone: false }
  const removed = await removeNow(core, kind, current)
  return removed && { object: removed, gone: true }
}

/** What goes without grace is marked first, as upstream does: whoever watches sees it go. */
async function markAndRemove(core: Core, kind: AnyKind, marked: ApiObject, current: ApiObject): Promise<Deleted | undefined> {
  const behaviour = core.behaviours.of(kind)
  const written = await core.objects.putAndRemove(kind, marked, revisionOf(current), behaviour?.lifetimeSeconds)
  if (!written) return undefined
  const { last, removed } = written
  if (removed) {
    await behaviour?.afterDelete?.(last)
    return { object: removed, gone: true }
  }
  // Somebody else may have taken away what this request has marked.
  const isGone = core.objects.cacheOf(kind).get(cacheKeyOf(current))?.metadata.uid !== last.metadata.uid
  return isGone ? { object: last, gone: true } : undefined
}

/** What a delete does to an object. */
interface DeletePlan {
  /** The object as it is written before it goes, if it is. */
  readonly next: ApiObject | undefined
  readonly goesNow: boolean
  /** It is going already, and this request changes nothing. */
  readonly isPending: boolean
}

interface DeleteFacts {
  readonly behaviour: Behaviour | undefined
  readonly now: number
  readonly orphansByDefault: boolean
}

/** The rules of graceful deletion and of finalizers, without doing anything. */
export function planDelete(current: ApiObject, options: DeleteOptions, facts: DeleteFacts): DeletePlan {
  const next = metadataDraft(current) as Mutable<ApiObject>
  const grace = graceOf(current, options, facts)
  if (grace.isPending) return { next: undefined, goesNow: false, isPending: true }
  const finalizers = finalizersFor(current, options.propagationPolicy, facts.orphansByDefault)
  const changesFinalizers = finalizers.join() !== (current.metadata.finalizers ?? []).join()
  if (changesFinalizers) {
    if (finalizers.length > 0) next.metadata.finalizers = finalizers
    else delete next.metadata.finalizers
  }
  const isHeld = finalizers.length > 0 || (facts.behaviour?.isHeld?.(current) ?? false)
  if (grace.seconds === undefined) {
    if (!isHeld) return { next: undefined, goesNow: true, isPending: false }
    const begins = !current.metadata.deletionTimestamp
    markAsDeleting(next, facts)
    return { next: begins || changesFinalizers ? next : undefined, goesNow: false, isPending: false }
  }
  setGrace(next, current, grace.seconds, facts)
  return { next, goesNow: grace.seconds === 0 && !isHeld, isPending: false }
}

/** Seconds that the object is given; undefined if its kind knows no grace. A period that runs can only be shortened. */
function graceOf(current: ApiObject, options: DeleteOptions, { behaviour }: DeleteFacts): { seconds?: number; isPending?: boolean } {
  if (!behaviour?.gracePeriodSeconds) return {}
  const requested = options.gracePeriodSeconds
  const { deletionTimestamp, deletionGracePeriodSeconds: running } = current.metadata
  if (!deletionTimestamp) {
    const seconds = behaviour.gracePeriodSeconds(current, requested)
    return seconds === undefined ? {} : { seconds }
  }
  // It was to go at once: whoever marked it did not come to that.
  if (!running) return {}
  if (requested === undefined) return { isPending: true }
  const seconds = requested < 0 ? 1 : requested
  return seconds >= running ? { isPending: true } : { seconds }
}

function setGrace(next: Mutable<ApiObject>, current: ApiObject, seconds: number, { now, behaviour }: DeleteFacts): void {
  const { deletionTimestamp, deletionGracePeriodSeconds: running = 0 } = current.metadata
  const start = deletionTimestamp ? Date.parse(deletionTimestamp) - running * 1000 : now
  next.metadata.deletionTimestamp = timestamp(start + seconds * 1000)
  next.metadata.deletionGracePeriodSeconds = seconds
  if (!deletionTimestamp) {
    if ((next.metadata.generation ?? 0) > 0) next.metadata.generation!++
    behaviour?.markDeleted?.(next)
  }
}

function markAsDeleting(next: Mutable<ApiObject>, { now, behaviour }: DeleteFacts): void {
  if (!next.metadata.deletionTimestamp) {
    next.metadata.deletionTimestamp = timestamp(now)
    if ((next.metadata.generation ?? 0) > 0) next.metadata.generation!++
    next.metadata.deletionGracePeriodSeconds = 0
    behaviour?.markDeleted?.(next)
  }
}

/** The finalizers by which the garbage collector learns what is to become of the dependents. */
function finalizersFor(current: ApiObject, policy: DeleteOptions['propagationPolicy'], orphansByDefault: boolean): string[] {
  const present = current.metadata.finalizers ?? []
  const orphans = policy ? policy === 'Orphan' : present.includes(ORPHAN) || (orphansByDefault && !present.includes(FOREGROUND))
  const waits = policy ? policy === 'Foreground' : present.includes(FOREGROUND) && !present.includes(ORPHAN)
  const others = present.filter(name => name !== ORPHAN && name !== FOREGROUND)
  if (orphans) return present.includes(ORPHAN) && !present.includes(FOREGROUND) ? [...present] : [...others, ORPHAN]
  if (waits) return present.includes(FOREGROUND) && !present.includes(ORPHAN) ? [...present] : [...others, FOREGROUND]
  return others
}

const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

function checkPreconditions(request: WriteRequest, options: DeleteOptions, current: ApiObject): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { group, kind } = storedKindOf(request.kind)
  const of = { group, resource: kind }
  if (uid !== undefined && uid !== current.metadata.uid) {
    throw conflict(
      of,
      request.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${current.metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
    throw conflict(
      of,
      request.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${current.metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

async function admit(core: Core, request: WriteRequest, options: DeleteOptions, current: ApiObject): Promise<void> {
  const admission = admissionOf(request, { operation: 'DELETE', object: undefined, old: current, options })
  await core.admission.admit(admission)
  await core.admission.validate(admission)
}
