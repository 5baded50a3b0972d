import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { groupVersionOf } from '#machinery/meta/object-meta.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { DecodeError, decode } from '#machinery/schema/decode.ts'
import type { AnySchema } from '#machinery/schema/schema.ts'
import { badRequest, invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { StatusError } from '#machinery/status/status-error.ts'
import type { WriteRequest } from './write-request.ts'

/** A body that has been parsed but not yet looked at. */
export interface Body {
  readonly value: unknown
  /** What a strict reading complains of already: keys that stand twice. */
  readonly duplicates?: readonly string[]
}

/** Reads a body as an object of `request.kind`, defaults filled in. The result is the caller's own and may be changed. */
export function objectFrom(body: Body, request: WriteRequest, kinds: KindRegistry): ApiObject {
  const { kind } = request
  checkType(body.value, kind, kinds)
  const unknown: string[] = []
  let object: ApiObject
  try {
    object = decodeObject(kind, body.value, unknown)
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${cannotBeHandled(kind.kind, kind.version, kind)}: ${error.message}`, error)
    throw error
  }
  complain(body.duplicates ?? [], unknown, request, cannotBeHandled(kind.kind, kind.version, kind))
  return object
}

/** The canonical object of `kind` in `value`, with all defaults; parts that are called canonical are taken over and must not be changed. */
export function decodeObject(
  kind: AnyKind,
  value: unknown,
  unknown: string[] = [],
  canonical: ReadonlyMap<unknown, AnySchema> = NOTHING,
): ApiObject {
  const decoded = decode<Record<string, unknown>>(kind.schema, value, { defaults: true, unknown, canonical })
  const { kind: _, apiVersion: __, ...rest } = decoded
  const object = { kind: kind.kind, apiVersion: kind.apiVersion, ...rest } as unknown as ApiObject
  kind.hooks.applyDefaults?.(object)
  return object
}

const NOTHING: ReadonlyMap<unknown, AnySchema> = new Map()

/** Answers unknown and repeated fields as `fieldValidation` says: with an error, with warnings, or not at all. */
export function complain(duplicates: readonly string[], unknown: readonly string[], request: WriteRequest, subject: string): void {
  if (request.fieldValidation === 'Ignore' || (duplicates.length === 0 && unknown.length === 0)) return
  const complaints = [...duplicates.map(path => `duplicate field ${quote(path)}`), ...unknown.map(path => `unknown field ${quote(path)}`)]
  if (request.fieldValidation === 'Strict') throw badRequest(`${subject}: strict decoding error: ${complaints.join(', ')}`)
  for (const complaint of complaints) request.caller.warn?.(complaint)
}

/** The body says itself what it is; both parts may be left out. */
function checkType(value: unknown, kind: AnyKind, kinds: KindRegistry): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return
  const sent = value as { apiVersion?: unknown; kind?: unknown }
  const effectiveVersion = typeof sent.apiVersion === 'string' && sent.apiVersion !== '' ? sent.apiVersion : kind.apiVersion
  const effectiveName = typeof sent.kind === 'string' && sent.kind !== '' ? sent.kind : kind.kind
  if (effectiveVersion === kind.apiVersion && effectiveName === kind.kind) return
  if (kind.isCustom) throw otherCustomType(effectiveVersion, effectiveName, value as JsonObject, kind)
  const { version } = groupVersionOf(effectiveVersion)
  const subject = cannotBeHandled(effectiveName, version, kind)
  if (effectiveName !== kind.kind || !isRegistered(effectiveVersion, effectiveName, kinds)) {
    throw badRequest(`${subject}: ${otherTypeText(kind, effectiveVersion, effectiveName, value as JsonObject, kinds)}`)
  }
  throw badRequest(`the API version in the data (${effectiveVersion}) does not match the expected API version (${kind.apiVersion})`)
}

/** A custom resource is no type that could be another's: what it says it is, is a field like any other. */
export function otherCustomType(apiVersion: string, name: string, value: JsonObject, kind: AnyKind): StatusError {
  if (apiVersion !== kind.apiVersion) {
    return badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${kind.apiVersion})`)
  }
  const errors = new FieldErrors()
  errors.at('kind').invalid(name, `must be ${kind.kind}`)
  const metadata = value['metadata'] as { name?: unknown } | undefined
  return invalid(kind, typeof metadata?.name === 'string' ? metadata.name : '', errors.all)
}

export function cannotBeHandled(sentKind: string, sentVersion: string, kind: AnyKind): string {
  return `${sentKind} in version ${quote(sentVersion)} cannot be handled as a ${kind.kind}`
}

const SCHEME = '"pkg/api/legacyscheme/scheme.go:30"'

/** What is wrong with an object that says it is of another kind: nobody knows that one, or it cannot be turned into this one. */
export function otherTypeText(kind: AnyKind, apiVersion: string, name: string, value: JsonObject, kinds: KindRegistry): string {
  if (!isRegistered(apiVersion, name, kinds)) {
    return `no kind ${quote(name)} is registered for version ${quote(apiVersion)} in scheme ${SCHEME}`
  }
  const { group, version } = groupVersionOf(apiVersion)
  const other = kinds.byKind(group, version, name)
  try {
    if (other) decodeObject(other, value)
  } catch (error) {
    if (error instanceof DecodeError) return error.message
    throw error
  }
  return `converting (${version}.${name}) to (${internalType(kind)}): unknown conversion`
}

/** Beside the kinds that are served, every version knows the types of options, lists and events. */
function isRegistered(apiVersion: string, name: string, kinds: KindRegistry): boolean {
  const { group, version } = groupVersionOf(apiVersion)
  if (kinds.byKind(group, version, name)) return true
  const isVersion = [...kinds.all()].some(kind => kind.group === group && kind.version === version)
  return isVersion && (COMMON.has(name) || (name.endsWith('List') && kinds.byKind(group, version, name.slice(0, -4)) !== undefined))
}

const COMMON = new Set([
  'List',
  'Status',
  'WatchEvent',
  'DeleteOptions',
  'CreateOptions',
  'UpdateOptions',
  'PatchOptions',
  'ListOptions',
  'GetOptions',
])

/** The Go type in upstream's internal packages: `core.ConfigMap`. */
function internalType({ group, kind }: AnyKind): string {
  return `${group === '' ? 'core' : group.split('.', 1)[0]!}.${kind}`
}
