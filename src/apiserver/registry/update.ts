import { equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import { validateObjectMetaUpdate } from '#machinery/meta/validate-object-meta.ts'
import { conflict, invalid, notFound, OBJECT_MODIFIED } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'
import { isAlreadyExists, StatusError } from '#machinery/status/status-error.ts'
import { admissionOf } from './admission-of.ts'
import { type Body, objectFrom } from './body.ts'
import type { Core } from './core.ts'
import { checkSentName, createDecoded, ownershipOf, placeIn, resourceOf, writeContextOf } from './create.ts'
import { isReadyToGo, removeNow } from './delete.ts'
import { cacheKey, cacheKeyOf, revisionOf } from './object-store.ts'
import { dedupeOwners } from './owners.ts'
import { asWritten, converted, show, showWritten, storedKindOf, toWritten, writtenKindOf, writtenToStored } from './views.ts'
import type { WriteRequest } from './write-request.ts'

/** What a write came to. `created`: the name was not there before. */
export interface Written {
  readonly object: ApiObject
  readonly created: boolean
}

/** How the next state follows from the present one, in the version of `request.kind`; asked anew when somebody else was faster. */
export interface Change {
  /** The next state; a value of its own that may be changed. Fields that the schema does not know are dropped. */
  next(current: ApiObject): Mutable<ApiObject>
  /** What is created where nothing is; undefined: that is an error (404). */
  first?(): Mutable<ApiObject>
  /** The result owes its resourceVersion to what it was made from, so a missing one is no mistake. */
  readonly isPatch: boolean
  /** `next` has set `managedFields` itself (server-side apply). */
  readonly setsOwnership?: boolean
}

/** Replaces an object (or its subresource) by a body. */
export async function update(core: Core, request: WriteRequest, body: Body): Promise<Written> {
  const object = objectFrom(body, request, core.kinds) as Mutable<ApiObject>
  checkSentName(object.metadata.name ?? '', request)
  placeIn(object, request)
  dedupeOwners(object, request.caller)
  const { createOnUpdate } = request.kind
  return change(core, request, {
    next: () => ({ ...object, metadata: { ...object.metadata } }),
    ...(createOnUpdate && request.subresource === '' ? { first: () => object } : {}),
    isPatch: false,
  })
}

/** Retries when others write in between, as long as the client did not insist on a revision. */
const ATTEMPTS = 1000

/** Brings an object from its present state to the next. */
export async function change(core: Core, request: WriteRequest, step: Change): Promise<Written> {
  const kind = storedKindOf(request.kind)
  const key = cacheKey(request.namespace, request.name)
  const behind = core.objects.caughtUp()
  if (behind) await behind
  const turn = `${kind.storagePrefix}/${key}`
  let end = core.turns.isContended(turn) ? await core.turns.take(turn) : undefined
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const written = await attemptChange(core, request, step, kind, key)
      if (written) return written
      end ??= await core.turns.take(turn)
    }
    throw conflict(resourceOf(request), request.name, OBJECT_MODIFIED)
  } finally {
    end?.()
  }
}

async function attemptChange(core: Core, request: WriteRequest, step: Change, kind: AnyKind, key: string): Promise<Written | undefined> {
  const current = core.objects.cacheOf(kind).get(key)
  if (current) {
    const object = await tryChange(core, request, step, kind, current)
    return object && { object, created: false }
  }
  core.objects.refuseUnreadable(kind, key)
  if (!step.first) throw notFound(resourceOf(request), request.name)
  const first = firstOf(step.first(), request, step.isPatch)
  try {
    return { object: await createDecoded(core, request, first, step.setsOwnership), created: true }
  } catch (error) {
    // An apply says what is to be, whoever made the object: if somebody else just did, it is changed.
    if (step.isPatch && isAlreadyExists(error)) return undefined
    throw error
  }
}

/** One try, in the version of `request.kind`; undefined if somebody else was faster. Hot: bench/apiserver — it waits only for what is not there yet. */
async function tryChange(
  core: Core,
  request: WriteRequest,
  step: Change,
  kind: AnyKind,
  current: ApiObject,
): Promise<ApiObject | undefined> {
  const showing = converted(() => show(request.kind, current))
  const shown = showing instanceof Promise ? await showing : showing
  const planned = converted(() => {
    const sent = step.next(shown)
    if (!step.isPatch) checkIdentity(request, sent, current)
    const insists = checkRevision(request, sent, current, step.isPatch)
    carryOver(sent, shown, request.subresource, request.kind)
    const owned = step.setsOwnership ? sent : core.ownership.afterUpdate(shown, sent, ownershipOf(core, request))
    return { insists, object: toWritten(request.kind, owned) as Mutable<ApiObject>, old: asWritten(request.kind, current) }
  })
  const { insists, object, old } = planned instanceof Promise ? await planned : planned
  const admission = admissionOf(request, { operation: 'UPDATE', object, old, options: request.sent })
  await core.admission.admit(admission)
  prepare(core, request, object, old)
  const behaviour = core.behaviours.of(kind)
  const allocation = request.subresource === '' && behaviour?.begin ? await behaviour.begin(object, old, request) : undefined
  try {
    validate(core, request, object, old)
    await core.admission.validate(admission)
    for (const text of writtenKindOf(request.kind).hooks.warnings?.(object, old) ?? []) request.caller.warn?.(text)
    if (request.dryRun) {
      await allocation?.release?.()
      return withRevision(showWritten(request.kind, object), current)
    }
    const storing = converted(() => writtenToStored(request.kind, object))
    const next = storing instanceof Promise ? await storing : storing
    if (isReadyToGo(behaviour, object)) {
      const removed = await removeNow(core, kind, current)
      if (removed) return withRevision(showWritten(request.kind, object), current)
    } else if (isSame(next, current) && !core.objects.isStale(kind, current)) {
      await allocation?.release?.()
      return shown
    } else {
      const stored = await core.objects.put(kind, next, revisionOf(current), behaviour?.lifetimeSeconds)
      if (stored) {
        if (allocation) await allocation.commit?.(stored)
        const written = converted(() => show(request.kind, stored))
        return written instanceof Promise ? await written : written
      }
    }
  } catch (error) {
    await allocation?.release?.()
    throw error
  }
  await allocation?.release?.()
  if (insists && !step.isPatch) throw conflict(resourceOf(request), request.name, OBJECT_MODIFIED)
  return undefined
}

/** Compares the resourceVersion that was sent with the stored one. Answers whether there was one. */
function checkRevision(request: WriteRequest, sent: Mutable<ApiObject>, current: ApiObject, isPatch: boolean): boolean {
  const revision = sent.metadata.resourceVersion ?? ''
  if (revision !== '' && revision !== '0') {
    if (!/^\d+$/.test(revision)) {
      throw new StatusError({ code: 500, reason: '', message: `strconv.ParseUint: parsing ${quote(revision)}: invalid syntax` })
    }
    if (revision !== current.metadata.resourceVersion) throw conflict(resourceOf(request), request.name, OBJECT_MODIFIED)
    return true
  }
  if (!isPatch && !storedKindOf(request.kind).unconditionalUpdate) {
    const errors = new FieldErrors()
    errors.at('metadata').at('resourceVersion').invalid(0, 'must be specified for an update')
    throw invalid({ group: request.kind.group, kind: request.kind.plural }, request.name, errors.all)
  }
  sent.metadata.resourceVersion = current.metadata.resourceVersion!
  return false
}

/** A uid that was sent has to be that of the stored object. */
function checkIdentity(request: WriteRequest, sent: ApiObject, current: ApiObject): void {
  const { uid } = sent.metadata
  if (!uid || uid === current.metadata.uid) return
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`
  const key = `/registry/${storedKindOf(request.kind).storagePrefix}/${cacheKeyOf(current)}`
  throw conflict(
    resourceOf(request),
    request.name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
  )
}

function firstOf(object: Mutable<ApiObject>, request: WriteRequest, isPatch: boolean): Mutable<ApiObject> {
  const { uid, resourceVersion } = object.metadata
  if (isPatch) delete object.metadata.resourceVersion
  else if (uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: `
    throw conflict(resourceOf(request), request.name, why)
  }
  if (!isPatch && resourceVersion && resourceVersion !== '0') throw notFound(resourceOf(request), request.name)
  delete object.metadata.resourceVersion
  return object
}

/** Carries over what this write may not change. */
function prepare(core: Core, request: WriteRequest, object: Mutable<ApiObject>, old: ApiObject): void {
  const kind = writtenKindOf(request.kind)
  const { metadata } = object
  if (old.metadata.generation !== undefined) metadata.generation = old.metadata.generation
  else delete metadata.generation
  core.gates.dropFields(kind, object, old)
  kind.hooks.prepareUpdate?.(object, old, writeContextOf(core, request))
  const isCounted = metadata.generation !== old.metadata.generation
  if (kind.generation && !isCounted && request.subresource !== 'status' && isChangedOutsideStatus(object, old)) {
    metadata.generation = (old.metadata.generation ?? 0) + 1
  }
  delete metadata.selfLink
  if (!metadata.uid && old.metadata.uid) metadata.uid = old.metadata.uid
  if (old.metadata.creationTimestamp) metadata.creationTimestamp = old.metadata.creationTimestamp
  if (old.metadata.deletionTimestamp) metadata.deletionTimestamp = old.metadata.deletionTimestamp
  const grace = old.metadata.deletionGracePeriodSeconds
  if (grace !== undefined && metadata.deletionGracePeriodSeconds === undefined) metadata.deletionGracePeriodSeconds = grace
}

/** A write of the object leaves its status alone, a write of the status everything else. */
function carryOver(object: Mutable<ApiObject>, old: ApiObject, subresource: string, kind: AnyKind): void {
  const target = object as unknown as Record<string, unknown>
  const source = old as unknown as Record<string, unknown>
  if (subresource === 'status') {
    for (const field of Object.keys({ ...target, ...source })) {
      if (field === 'metadata' || field === 'status') continue
      if (source[field] === undefined) delete target[field]
      else target[field] = source[field]
    }
  } else if (subresource === '' && kind.subresources.some(({ name }) => name === 'status')) {
    if (source['status'] === undefined) delete target['status']
    else target['status'] = source['status']
  }
}

function isChangedOutsideStatus(object: ApiObject, old: ApiObject): boolean {
  const now = object as unknown as Record<string, unknown>
  const before = old as unknown as Record<string, unknown>
  for (const field of new Set([...Object.keys(now), ...Object.keys(before)])) {
    if (field !== 'metadata' && field !== 'status' && now[field] !== before[field] && !equal(now[field], before[field])) return true
  }
  return false
}

function validate(core: Core, request: WriteRequest, object: ApiObject, old: ApiObject): void {
  const kind = writtenKindOf(request.kind)
  const errors = new FieldErrors()
  const context = writeContextOf(core, request)
  const checkName = kind.hooks.validateName ?? nameIsDNSSubdomain
  const rules = { isNamespaced: kind.scope === 'Namespaced', checkName, standardFinalizersOnly: !kind.freeFinalizers }
  validateObjectMetaUpdate(object.metadata, old.metadata, rules, errors.at('metadata'))
  // Upstream looks at metadata twice, for the kind and for all kinds, and tells both.
  errors.addAll([...errors.all])
  if (request.subresource === '') kind.hooks.validate?.(object, errors, context)
  kind.hooks.validateUpdate?.(object, old, errors, request.subresource, context)
  if (!errors.isEmpty) throw invalid(kind, request.name, errors.all)
}

/** Nothing is written if nothing changed. */
function isSame(object: ApiObject, current: ApiObject): boolean {
  return equal(object, current)
}

function withRevision(object: ApiObject, current: ApiObject): ApiObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: current.metadata.resourceVersion } }
}
