import { beside } from '#base/collections/beside.ts'
import type { ManagedFieldsEntry } from '../meta/object-meta.ts'
import { isJsonObject, isSameJson, type JsonObject, valueAt } from '../patch/json-object.ts'
import { decode } from '../schema/decode.ts'
import type { AnySchema } from '../schema/schema.ts'
import { badRequest } from '../status/failures.ts'
import { StatusError } from '../status/status-error.ts'
import { ConflictError } from './conflicts.ts'
import { FieldSet } from './field-set.ts'
import type { FieldsV1 } from './fields-v1.ts'
import { allowedConflicts, hasLastApplied, withLastApplied } from './last-applied.ts'
import {
  compareOwners,
  decodeOwners,
  encodeOwners,
  identityOf,
  isEntryOf,
  newEntryOf,
  type Owner,
  type Owners,
  ownerOf,
} from './managed.ts'
import { applied, ownersAfterUpdate, type TypedVersion } from './ownership.ts'
import { typedErrors, typedErrorText } from './typed-errors.ts'
import { type Comparison, compare } from './typed-values.ts'
import { areReadable, owns } from './untouched-owners.ts'

/** What a write to `subresource` of a kind with a status cannot set: use it as `ignored` of a {@link TypedVersion}. */
export function ignoredBy(subresource: string): FieldSet | undefined {
  return subresource === '' ? STATUS : subresource === 'status' ? SPEC : undefined
}

/** Who writes, when, and to which part of the object. */
export interface Writer {
  readonly manager: string
  /** '' for the object itself. */
  readonly subresource: string
  /** The time of the write, RFC 3339. */
  readonly now: string
}

type Entries = readonly ManagedFieldsEntry[]

/**
 * `metadata.managedFields` of an object that is created, replaced or patched (not applied). `live` is what is stored, undefined on create;
 * `next` is what will be stored, defaults filled in, with the managedFields that the client sent.
 */
export function managedFieldsAfterUpdate(live: JsonObject | undefined, next: JsonObject, writer: Writer, type: TypedVersion): Entries {
  const few = live && afterFewChanges(live, next, writer, type)
  if (few) return few
  const owners = ownersToStartFrom(live, next, writer)
  // An object that nobody tracks stays so until the first apply.
  if (owners.size === 0 && live && uidOf(live) !== '') return []
  try {
    return encodeOwners(tracked(live ?? emptyOf(type.schema), next, writer, owners, type))
  } catch (error) {
    // Nested beyond what the engine's stack walks: such an object is stored all the same, with the owners it had.
    if (error instanceof RangeError) return encodeOwners(owners)
    throw error
  }
}

/**
 * The same where it is plain: every stored owner can be told from its entry as it stands. Only owners of what is different are read, and only theirs is
 * written anew. Undefined where that does not do.
 *
 * Hot: bench/loops (preemption) — a write of the status changes a condition; what the kubelet owns of a pod names the pod's own addresses, and to read
 * it once more for each write was a tenth of all garbage.
 */
function afterFewChanges(live: JsonObject, next: JsonObject, writer: Writer, type: TypedVersion): Entries | undefined {
  const entries = entriesOf(live)
  if (type.ignored || entries.length === 0 || entries.length >= MAX_UPDATERS) return undefined
  if (!startsFromStored(entries, next, writer) || !areReadable(entries, type.apiVersion, META)) return undefined
  const comparison = comparisonOf(live, next, type)
  if (!comparison) return undefined
  const { removed, changed } = comparison
  const self = selfOf(writer, 'Update', type)
  const own = bare(changed)
  if (own.isEmpty && removed.isEmpty) return entries
  const after: ManagedFieldsEntry[] = []
  let left = own
  for (const entry of entries) {
    const fields = entry.fieldsV1 as FieldsV1
    const isOwn = !own.isEmpty && isEntryOf(self, entry)
    if (!isOwn && !owns(fields, changed) && !owns(fields, removed)) {
      after.push(entry)
      continue
    }
    const owner = ownerOf(entry)
    const rest = owner.fields.difference(changed).difference(removed)
    if (isOwn) left = own.union(rest)
    else if (!rest.isEmpty) after.push(rest === owner.fields ? entry : newEntryOf({ ...owner, fields: rest }))
  }
  if (!left.isEmpty) after.push(newEntryOf({ ...self, fields: left }))
  return inOrder(after)
}

/** The entries as they stand: mostly they do already. */
function inOrder(entries: ManagedFieldsEntry[]): Entries {
  for (let index = 1; index < entries.length; index++)
    if (compareOwners(entries[index - 1]!, entries[index]!) > 0) return entries.sort(compareOwners)
  return entries
}

/** Whether the owners after a write are those that are stored, but for what it changes: see {@link ownersToStartFrom}. */
function startsFromStored(stored: Entries, next: JsonObject, { subresource }: Writer): boolean {
  if (subresource !== '') return true
  const sent = entriesOf(next)
  return sent === stored || isSameJson(sent, stored)
}

/** Undefined where the objects are nested beyond what the engine's stack walks. */
function comparisonOf(live: JsonObject, next: JsonObject, { schema }: TypedVersion): Comparison | undefined {
  try {
    // The very same entries are no difference.
    return entriesOf(live) === entriesOf(next) ? compare(live, next, schema) : compare(stripped(live), stripped(next), schema)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** What an apply makes of an object. */
export interface Applied {
  /** The object to store; the very `live` one when the configuration changes nothing. Not decoded: defaults are still missing. */
  readonly object: JsonObject
  readonly managedFields: Entries
  readonly hasChanged: boolean
}

/**
 * Applies `config` (what the client sent) to `live` (undefined where there is no such object yet), server-side. Throws the failure that the
 * client is to see: conflicts with other managers unless `force`, unknown fields, wrong types.
 */
export function applyConfiguration(
  live: JsonObject | undefined,
  config: JsonObject,
  writer: Writer & { readonly force: boolean },
  type: TypedVersion,
): Applied {
  try {
    return appliedTo(live, config, writer, type)
  } catch (error) {
    if (error instanceof RangeError) throw badRequest('the configuration is nested too deeply', error)
    throw error
  }
}

function appliedTo(
  live: JsonObject | undefined,
  config: JsonObject,
  writer: Writer & { readonly force: boolean },
  type: TypedVersion,
): Applied {
  checkConfiguration(config, type)
  const start = stripped(live ?? emptyOf(type.schema))
  let owners = decodedOwners(live)
  if (owners.size === 0 && live)
    owners = tracked(emptyOf(type.schema), live, { ...writer, manager: BEFORE_FIRST_APPLY, subresource: '' }, owners, type)
  const { object: result, owners: after } = appliedOverClientSide(start, config, writer, owners, type)
  const object = isSameJson(start, result) ? start : result
  const hasChanged = live === undefined || object !== start
  const id = identityOf(selfOf(writer, 'Apply', type))
  const timed = new Map(after)
  const mine = timed.get(id)
  if (mine) timed.set(id, { ...mine, time: hasChanged ? writer.now : owners.get(id)?.time })
  const annotated = writer.manager === KUBECTL && hasLastApplied(object) ? withLastApplied(object, config) : object
  return { object: annotated, managedFields: encodeOwners(withoutMeta(timed)), hasChanged }
}

/** The name under which fields are kept that were there before the first apply. */
const BEFORE_FIRST_APPLY = 'before-first-apply'
const ANCIENT_CHANGES = 'ancient-changes'
const KUBECTL = 'kubectl'
/** More updaters than this are not told apart: the oldest share one entry. */
const MAX_UPDATERS = 10
const SELF = 'current-operation'
const STATUS = FieldSet.of(['f:status'])
const SPEC = FieldSet.of(['f:spec'])

/** What is nobody's: identity and bookkeeping. */
const META = FieldSet.of(
  ['f:apiVersion'],
  ['f:kind'],
  ['f:metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    name => ['f:metadata', `f:${name}`],
  ),
)

/** The owners that the client sent, else those that are stored. A list of one empty entry resets them. */
function ownersToStartFrom(live: JsonObject | undefined, next: JsonObject, { subresource }: Writer): Owners {
  if (subresource !== '') return safeOwners(live)
  const sent = entriesOf(next)
  // Who changes what he has read sends the same again: to compare is less than to read it.
  if (live && isSameJson(sent, entriesOf(live))) return safeOwners(live)
  if (sent.length === 1 && Object.keys(sent[0]!).length === 0) return new Map()
  try {
    const owners = decodeOwners(sent)
    return owners.size > 0 ? owners : safeOwners(live)
  } catch {
    return safeOwners(live)
  }
}

function safeOwners(object: JsonObject | undefined): Owners {
  try {
    return decodeOwners(entriesOf(object))
  } catch {
    return new Map()
  }
}

function decodedOwners(object: JsonObject | undefined): Owners {
  try {
    return decodeOwners(entriesOf(object))
  } catch (error) {
    throw new StatusError({ code: 500, reason: '', message: `failed to decode managed fields: ${(error as Error).message}`, cause: error })
  }
}

/** The owners after an update; changes of the writer are added to what it owned before. */
function tracked(live: JsonObject, next: JsonObject, writer: Writer, owners: Owners, type: TypedVersion): Owners {
  const self = selfOf(writer, 'Update', type)
  const after = new Map(withoutMeta(ownersAfterUpdate(stripped(live), stripped(next), self, SELF, owners, type)))
  const mine = after.get(SELF)
  if (mine) {
    after.delete(SELF)
    const id = identityOf(self)
    const before = after.get(id)?.fields ?? FieldSet.empty
    after.set(id, { ...mine, fields: mine.fields.union(before), time: writer.now })
  }
  return capped(after)
}

/** Joins the oldest updaters of a version until no more than {@link MAX_UPDATERS} are left. */
function capped(owners: Owners): Owners {
  const updaters = [...owners].filter(([, owner]) => owner.operation === 'Update')
  if (updaters.length <= MAX_UPDATERS) return owners
  updaters.sort(([leftId, left], [rightId, right]) => compareText(left.time ?? '', right.time ?? '') || compareText(leftId, rightId))
  const after = new Map(owners)
  const firsts = new Map<string, string>()
  let count = updaters.length
  for (const [id, owner] of updaters) {
    if (count <= MAX_UPDATERS) break
    const first = firsts.get(owner.apiVersion)
    if (first === undefined) {
      firsts.set(owner.apiVersion, id)
      continue
    }
    const bucket: Owner = { ...owner, manager: ANCIENT_CHANGES, subresource: '' }
    const bucketId = identityOf(bucket)
    const known = after.get(bucketId) ?? after.get(first)
    if (!after.has(bucketId)) after.delete(first)
    after.delete(id)
    after.set(bucketId, { ...bucket, fields: owner.fields.union(known?.fields ?? FieldSet.empty) })
    count--
  }
  return after
}

/** Applies; for kubectl, fields that its client-side apply had set are its own, so they are taken over without force. */
function appliedOverClientSide(
  live: JsonObject,
  config: JsonObject,
  writer: Writer & { readonly force: boolean },
  owners: Owners,
  type: TypedVersion,
): { object: JsonObject; owners: Owners } {
  const self = selfOf(writer, 'Apply', type)
  const run = (force: boolean) => applied(live, config, self, identityOf(self), owners, type, force)
  try {
    return run(writer.force)
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error
    const allowed = writer.manager === KUBECTL ? allowedConflicts(live, type.schema) : undefined
    if (!allowed) throw error.toStatusError()
    const left = error.conflicts
      .map(conflict => ({ ...conflict, fields: conflict.fields.difference(allowed) }))
      .filter(conflict => !conflict.fields.isEmpty)
    if (left.length > 0) throw new ConflictError(left).toStatusError()
    return run(true)
  }
}

function checkConfiguration(config: JsonObject, type: TypedVersion): void {
  const metadata = valueAt(config, 'metadata')
  if (isJsonObject(metadata) && (valueAt(metadata, 'managedFields') ?? null) !== null)
    throw badRequest('metadata.managedFields must be nil')
  const errors = typedErrors(config, type.schema)
  if (errors.length === 0) return
  const [namespace, name] = isJsonObject(metadata) ? [valueAt(metadata, 'namespace') ?? '', valueAt(metadata, 'name') ?? ''] : ['', '']
  const slash = type.apiVersion.includes('/') ? type.apiVersion : `/${type.apiVersion}`
  const subject = `${String(namespace)}/${String(name)}; ${slash}, Kind=${String(valueAt(config, 'kind') ?? '')}`
  throw new StatusError({ code: 500, reason: '', message: `failed to create typed patch object (${subject}): ${typedErrorText(errors)}` })
}

function selfOf({ manager, subresource, now }: Writer, operation: 'Apply' | 'Update', type: TypedVersion): Owner {
  return {
    manager: manager === '' ? 'unknown' : manager,
    operation,
    apiVersion: type.apiVersion,
    subresource,
    fields: FieldSet.empty,
    time: now,
  }
}

function withoutMeta(owners: Owners): Owners {
  const after = new Map<string, Owner>()
  for (const [id, owner] of owners) {
    const fields = bare(owner.fields)
    if (!fields.isEmpty) after.set(id, fields === owner.fields ? owner : { ...owner, fields })
  }
  return after
}

const bares = beside<FieldSet>()

/** `fields` without what is nobody's. */
function bare(fields: FieldSet): FieldSet {
  let rest = bares.get(fields)
  if (!rest) {
    rest = fields.difference(META)
    bares.set(fields, rest)
  }
  return rest
}

/** The object without its managedFields, which are nobody's. */
function stripped(object: JsonObject): JsonObject {
  const metadata = valueAt(object, 'metadata')
  if (!isJsonObject(metadata) || !Object.hasOwn(metadata, 'managedFields')) return object
  const { managedFields: _, ...rest } = metadata
  return { ...object, metadata: rest }
}

const empties = new WeakMap<AnySchema, JsonObject>()

/** What there is before an object is created: its messages, and nothing in them. */
function emptyOf(schema: AnySchema): JsonObject {
  let empty = empties.get(schema)
  if (!empty) {
    empty = decode<JsonObject>(schema, {}, { defaults: false, unknown: [] })
    empties.set(schema, empty)
  }
  return empty
}

function entriesOf(object: JsonObject | undefined): Entries {
  const metadata = object && valueAt(object, 'metadata')
  const entries = isJsonObject(metadata) ? valueAt(metadata, 'managedFields') : undefined
  return Array.isArray(entries) ? (entries as Entries) : []
}

function uidOf(object: JsonObject): string {
  const metadata = valueAt(object, 'metadata')
  return isJsonObject(metadata) ? String(valueAt(metadata, 'uid') ?? '') : ''
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
