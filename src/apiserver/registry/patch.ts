import type { Patch } from '#client/client.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { ObjectMeta } from '#machinery/kind/object-meta.ts'
import { groupVersionOf } from '#machinery/meta/object-meta.ts'
import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'
import { applyJsonPatch } from '#machinery/patch/json-patch.ts'
import { applyMergePatch } from '#machinery/patch/merge-patch.ts'
import { applyStrategicMergePatch } from '#machinery/patch/strategic-merge-patch.ts'
import { DecodeError } from '#machinery/schema/decode.ts'
import type { AnySchema } from '#machinery/schema/schema.ts'
import { badRequest, invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { goJson, quote } from '#machinery/status/go-text.ts'
import { decodeObject, otherCustomType, otherTypeText } from './body.ts'
import type { Core } from './core.ts'
import { checkSentName, ownershipOf, placeIn } from './create.ts'
import { dedupeOwners } from './owners.ts'
import { type Change, change, type Written } from './update.ts'
import type { WriteRequest } from './write-request.ts'

/** A patch that has been parsed; `duplicates` as in a {@link Body}. */
export interface PatchBody {
  readonly patch: Patch
  readonly duplicates?: readonly string[]
}

/** Changes an object by a patch; server-side apply may create it. */
export function patch(core: Core, request: WriteRequest, body: PatchBody): Promise<Written> {
  const step =
    body.patch.type === 'apply' ? applyOf(core, request, body.patch) : { isPatch: true, next: patchedBy(request, body, core.kinds) }
  return change(core, request, step)
}

/** What a patch makes of an object of `request.kind`. */
export function patchedBy(
  request: WriteRequest,
  { patch: { type, body }, duplicates = [] }: PatchBody,
  kinds: KindRegistry,
): (current: ApiObject) => Mutable<ApiObject> {
  return current => {
    const document = current as unknown as JsonObject
    const patched =
      type === 'json'
        ? applyJsonPatch(document, body)
        : type === 'merge'
          ? applyMergePatch(document, body)
          : applyStrategicMergePatch(document, body, request.kind.schema)
    checkType(request.kind, patched, type === 'strategic' ? body : patched, kinds)
    return patchedObject(
      request,
      type === 'strategic' ? body : patched,
      patched,
      duplicates,
      type === 'strategic',
      partsKept(request, current),
    )
  }
}

/**
 * The parts of an object that need not be read again if a patch has left them alone: who owns what, which is replaced and never changed, and
 * in a write of the status everything else, which stays that of the stored object. Hot: bench/loops, where the spec is most of a pod.
 */
function partsKept({ kind, subresource }: WriteRequest, current: ApiObject): ReadonlyMap<unknown, AnySchema> {
  const kept = new Map<unknown, AnySchema>([[current.metadata.managedFields, ObjectMeta.fields.managedFields.schema]])
  if (subresource !== 'status') return kept
  const { fields } = kind.schema
  for (const [field, part] of Object.entries(current)) {
    const isOther = field !== 'metadata' && field !== 'status' && Object.hasOwn(fields, field)
    if (isOther && typeof part === 'object' && part !== null) kept.set(part, fields[field]!.schema)
  }
  return kept
}

/** The patched JSON as an object. What is wrong with it is said of the field `patch`, about nameless objects: so upstream does. */
function patchedObject(
  request: WriteRequest,
  shown: unknown,
  patched: JsonObject,
  duplicates: readonly string[],
  isStrategic: boolean,
  kept: ReadonlyMap<unknown, AnySchema>,
): Mutable<ApiObject> {
  const unknown: string[] = []
  let object: ApiObject
  try {
    object = decodeObject(request.kind, patched, unknown, kept)
  } catch (error) {
    if (error instanceof DecodeError) throw invalidPatch(shown, isStrategic ? conversionText(error.message) : error.message)
    throw error
  }
  const complaints = [...duplicates.map(path => `duplicate field ${quote(path)}`), ...unknown.map(path => `unknown field ${quote(path)}`)]
  if (request.fieldValidation === 'Strict' && complaints.length > 0) {
    throw invalidPatch(shown, `strict decoding error: ${complaints.join(', ')}`)
  }
  if (request.fieldValidation === 'Warn') for (const complaint of complaints) request.caller.warn?.(complaint)
  const result = object as Mutable<ApiObject>
  dedupeOwners(result, request.caller)
  checkName(request, result)
  return result
}

function checkType(kind: AnyKind, patched: JsonObject, shown: unknown, kinds: KindRegistry): void {
  const name = patched['kind'] || kind.kind
  const apiVersion = patched['apiVersion'] || kind.apiVersion
  if (name === kind.kind && apiVersion === kind.apiVersion) return
  if (kind.isCustom && typeof name === 'string' && typeof apiVersion === 'string') throw otherCustomType(apiVersion, name, patched, kind)
  if (typeof name !== 'string' || typeof apiVersion !== 'string') throw invalidPatch(shown, 'kind and apiVersion have to be strings')
  throw invalidPatch(shown, otherTypeText(kind, apiVersion, name, patched, kinds))
}

function checkName(request: WriteRequest, object: Mutable<ApiObject>): void {
  checkSentName(object.metadata.name ?? '', request)
  placeIn(object, request)
}

/** Strategic merge decodes by other means than the rest, and says so in other words. */
function conversionText(message: string): string {
  const [, from = '', to = ''] = /^json: cannot unmarshal (\w+).* of type (\S+)$/.exec(message) ?? []
  if (to.startsWith('[]')) return `cannot restore slice from ${from}`
  if (to.startsWith('map[')) return `cannot restore map from ${from}`
  return message
}

function invalidPatch(shown: unknown, detail: string) {
  const errors = new FieldErrors()
  errors.at('patch').invalid(goJson(shown), detail)
  return invalid({ group: '', kind: '' }, '', errors.all)
}

/** Server-side apply: the merge and its bookkeeping are `ownership`'s. */
function applyOf(core: Core, request: WriteRequest, { body, force }: Extract<Patch, { type: 'apply' }>): Change {
  const applied = appliedObject(request, body)
  const apply = (live: ApiObject): Mutable<ApiObject> => {
    const context = { ...ownershipOf(core, request), force: force ?? false }
    const object = draft(core.ownership.apply(live, applied, context)) as Mutable<ApiObject>
    placeIn(object, request)
    return object
  }
  return {
    isPatch: true,
    setsOwnership: true,
    next: current => {
      const object = apply(current)
      dedupeOwners(object, request.caller)
      return object
    },
    ...(request.subresource === '' ? { first: () => apply(emptyOf(request)) } : {}),
  }
}

function emptyOf(request: WriteRequest): ApiObject {
  const { kind, name, namespace } = request
  const metadata = kind.scope === 'Namespaced' ? { name, namespace } : { name }
  return { kind: kind.kind, apiVersion: kind.apiVersion, metadata } as ApiObject
}

/** What was sent, once it is clear that it is about this object. */
export function appliedObject(request: WriteRequest, body: unknown): JsonObject {
  const object = isJsonObject(body) ? body : {}
  const { kind, namespace } = request
  const apiVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : ''
  const sentKind = typeof object['kind'] === 'string' ? object['kind'] : ''
  if (apiVersion !== kind.apiVersion || sentKind !== kind.kind) {
    const { group, version } = groupVersionOf(apiVersion)
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${sentKind}`)
  }
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {}
  const given = metadata['name'] ?? ''
  checkSentName(String(given), request)
  const space = metadata['namespace'] ?? ''
  if (kind.scope === 'Namespaced' && space !== '' && space !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  return withoutIgnored(object, request)
}

/** A status is applied by its own subresource, and only there. */
function withoutIgnored(object: JsonObject, { kind, subresource }: WriteRequest): JsonObject {
  if (!kind.subresources.some(({ name }) => name === 'status')) return object
  const { status, ...rest } = object
  if (subresource === '') return status === undefined ? object : rest
  if (subresource !== 'status') return object
  const { apiVersion, kind: sentKind, metadata } = object
  return { apiVersion, kind: sentKind, metadata, ...(status === undefined ? {} : { status }) }
}
