import type { AnyKind, ApiObject, Mutable, WriteContext } from '#machinery/kind/kind.ts'
import { generateName } from '#machinery/meta/generate-name.ts'
import { nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import { validateObjectMeta } from '#machinery/meta/validate-object-meta.ts'
import { alreadyExists, badRequest, generateNameConflict, invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { admissionOf } from './admission-of.ts'
import { type Body, objectFrom } from './body.ts'
import { type Core, timestamp } from './core.ts'
import { cacheKeyOf } from './object-store.ts'
import { dedupeOwners } from './owners.ts'
import { converted, show, showWritten, storedKindOf, toWritten, writtenKindOf, writtenToStored } from './views.ts'
import type { WriteRequest } from './write-request.ts'

/** How often a generated name is tried again when it is taken. */
const NAME_ATTEMPTS = 8

/** Creates an object from a body. */
export async function create(core: Core, request: WriteRequest, body: Body): Promise<ApiObject> {
  const object = objectFrom(body, request, core.kinds) as Mutable<ApiObject>
  if (object.metadata.resourceVersion) {
    throw new StatusError({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' })
  }
  return createDecoded(core, request, object)
}

/** Creates a decoded object, in the version of `request.kind`; `isOwned`: its managedFields stand already. Changes `object`. */
export async function createDecoded(core: Core, request: WriteRequest, object: Mutable<ApiObject>, isOwned = false): Promise<ApiObject> {
  placeIn(object, request)
  dedupeOwners(object, request.caller)
  if (isOwned) return insert(core, request, toWritten(request.kind, object) as Mutable<ApiObject>)
  const { metadata } = core.ownership.afterUpdate(undefined, ownable(object, request.kind), ownershipOf(core, request))
  return insert(core, request, toWritten(request.kind, { ...object, metadata }) as Mutable<ApiObject>)
}

/** What a create can own: a status that has a subresource of its own is not among it. */
function ownable(object: ApiObject, kind: AnyKind): ApiObject {
  if (!kind.subresources.some(({ name }) => name === 'status')) return object
  const { status: _, ...rest } = object as ApiObject & { status?: unknown }
  return rest
}

/** Stores a new object (in the version in which writes are checked) after admission, preparation and validation. */
export async function insert(core: Core, request: WriteRequest, object: Mutable<ApiObject>): Promise<ApiObject> {
  const kind = writtenKindOf(request.kind)
  const behaviour = core.behaviours.of(kind)
  wipeSystemFields(object)
  const admission = admissionOf(request, { operation: 'CREATE', object, options: request.sent })
  await core.admission.admit(admission)
  dedupeOwners(object, request.caller)
  const prefix = object.metadata.name ? undefined : object.metadata.generateName
  prepare(core, request, object)
  const allocation = await behaviour?.begin?.(object, undefined, request)
  try {
    validate(core, request, object)
    await core.admission.validate(admission)
    for (const text of kind.hooks.warnings?.(object, undefined) ?? []) request.caller.warn?.(text)
    if (request.dryRun) {
      const taken = core.objects.cacheOf(kind).get(cacheKeyOf(object))
      if (taken) throw exists(request, taken)
      await allocation?.release?.()
      return showWritten(request.kind, object)
    }
    const stored = await putUnderFreeName(core, request, object, prefix)
    await allocation?.commit?.(stored)
    return await converted(() => show(request.kind, stored))
  } catch (error) {
    await allocation?.release?.()
    throw error
  }
}

/** The namespace of the request is the object's; a different one in the body is an error. */
export function placeIn(object: Mutable<ApiObject>, request: WriteRequest): void {
  if (request.kind.scope === 'Cluster') {
    delete object.metadata.namespace
    return
  }
  if (object.metadata.namespace && object.metadata.namespace !== request.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  object.metadata = { ...object.metadata, namespace: request.namespace }
}

/** The object names itself as the URL does. */
export function checkSentName(name: string, request: WriteRequest): void {
  if (name === '') throw badRequest(`the name of the object (${request.name} based on URL) was undeterminable: name must be provided`)
  if (name !== request.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${request.name})`)
  }
}

export function ownershipOf(core: Core, request: WriteRequest) {
  const { kind, subresource, fieldManager: manager } = request
  return { kind, subresource, manager, time: timestamp(core.clock.now()) }
}

export function writeContextOf(core: Core, request: WriteRequest): WriteContext {
  return { now: core.clock.now(), user: request.caller.user, subresource: request.subresource, isGateOn: core.gates.isOn }
}

/** What a client cannot say of a new object: nobody is shown it. */
function wipeSystemFields({ metadata }: Mutable<ApiObject>): void {
  delete metadata.uid
  delete metadata.creationTimestamp
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
}

/** What only the server says of a new object. */
function prepare(core: Core, request: WriteRequest, object: Mutable<ApiObject>): void {
  const kind = writtenKindOf(request.kind)
  wipeSystemFields(object)
  const { metadata } = object
  delete metadata.resourceVersion
  metadata.creationTimestamp = timestamp(core.clock.now())
  metadata.uid = core.random.uuid()
  if (kind.generation) metadata.generation = 1
  if (!metadata.name && metadata.generateName) metadata.name = generateName(metadata.generateName, core.random)
  core.gates.dropFields(kind, object)
  kind.hooks.prepareCreate?.(object, writeContextOf(core, request))
}

function validate(core: Core, request: WriteRequest, object: ApiObject): void {
  const kind = writtenKindOf(request.kind)
  const errors = new FieldErrors()
  const checkName = kind.hooks.validateName ?? nameIsDNSSubdomain
  validateObjectMeta(
    object.metadata,
    { isNamespaced: kind.scope === 'Namespaced', checkName, standardFinalizersOnly: !kind.freeFinalizers },
    errors.at('metadata'),
  )
  kind.hooks.validateCreate?.(object, errors)
  kind.hooks.validate?.(object, errors, writeContextOf(core, request))
  if (!errors.isEmpty) throw invalid(kind, object.metadata.name ?? '', errors.all)
}

async function putUnderFreeName(
  core: Core,
  request: WriteRequest,
  object: Mutable<ApiObject>,
  prefix: string | undefined,
): Promise<ApiObject> {
  const kind = storedKindOf(request.kind)
  const lifetime = core.behaviours.of(kind)?.lifetimeSeconds
  for (let attempt = 1; ; attempt++) {
    const toStore = await converted(() => writtenToStored(request.kind, object))
    const stored = await core.objects.put(kind, toStore, 0, lifetime)
    if (stored) return stored
    if (!prefix) throw exists(request, core.objects.cacheOf(kind).get(cacheKeyOf(object)), object.metadata.name)
    if (attempt === NAME_ATTEMPTS) throw generateNameConflict(resourceOf(request), object.metadata.name ?? '', 1)
    object.metadata.name = generateName(prefix, core.random)
  }
}

function exists(request: WriteRequest, taken: ApiObject | undefined, name = taken?.metadata.name ?? ''): StatusError {
  const error = alreadyExists(resourceOf(request), name)
  if (!taken?.metadata.deletionTimestamp) return error
  const { code, reason, details } = error
  return new StatusError({ code, reason, details, message: `object is being deleted: ${error.message}` })
}

export function resourceOf(request: Pick<WriteRequest, 'kind'>): { readonly group: string; readonly resource: string } {
  return { group: request.kind.group, resource: request.kind.plural }
}
