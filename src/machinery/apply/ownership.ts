import type { JsonObject } from '../patch/json-object.ts'
import type { AnySchema } from '../schema/schema.ts'
import { type Conflict, ConflictError } from './conflicts.ts'
import { FieldSet } from './field-set.ts'
import type { Owner, Owners } from './managed.ts'
import { type Comparison, compare, fieldsOf, merge, remove, withNamedFields } from './typed-values.ts'

/** A kind in one version, and the way to its other versions. */
export interface TypedVersion {
  readonly apiVersion: string
  readonly schema: AnySchema
  /** What a write to this part of the object cannot set, and so nobody comes to own by it: `status` for the object, `spec` for its status. */
  readonly ignored?: FieldSet
  /** The same kind in another version, or undefined where it is not served in it. */
  in?(apiVersion: string): OtherVersion | undefined
}

export interface OtherVersion {
  readonly schema: AnySchema
  /** An object of the {@link TypedVersion} in this version, and back. */
  convert(object: JsonObject): JsonObject
  back(object: JsonObject): JsonObject
}

/** Who owns what after `next` was written over `live` by the owner `self`: whoever changes a field takes it. */
export function ownersAfterUpdate(live: JsonObject, next: JsonObject, self: Owner, id: string, owners: Owners, type: TypedVersion): Owners {
  const [others, comparison] = settled(live, next, id, owners, type, true)
  const after = new Map(others)
  const before = after.get(id)?.fields ?? FieldSet.empty
  const fields = before.difference(comparison.removed).union(comparison.changed)
  if (fields.isEmpty) after.delete(id)
  else after.set(id, { ...self, fields })
  return after
}

/** The object and its owners after `self` applied `config` to `live`. Throws {@link ConflictError} unless `force`. */
export function applied(
  live: JsonObject,
  config: JsonObject,
  self: Owner,
  id: string,
  owners: Owners,
  type: TypedVersion,
  force: boolean,
): { object: JsonObject; owners: Owners } {
  const merged = merge(live, config, type.schema) as JsonObject
  const last = owners.get(id)
  const named = fieldsOf(config, type.schema)
  const mine = { ...self, fields: type.ignored ? named.recursiveDifference(type.ignored) : named }
  const claimed = new Map(owners).set(id, mine)
  const object = pruned(merged, claimed, last, type)
  const [after] = settled(live, object, id, claimed, type, force)
  return { object, owners: after }
}

/** Takes from all owners but `id` what changed under them, or refuses. */
function settled(live: JsonObject, next: JsonObject, id: string, owners: Owners, type: TypedVersion, force: boolean): [Owners, Comparison] {
  const own = without(compare(live, next, type.schema), type.ignored)
  const comparisons = new Map<string, Comparison | undefined>([[type.apiVersion, own]])
  const conflicts: Conflict[] = []
  const after = new Map<string, Owner>()
  for (const [key, owner] of owners) {
    if (key === id) {
      after.set(key, owner)
      continue
    }
    if (!comparisons.has(owner.apiVersion)) comparisons.set(owner.apiVersion, comparisonIn(live, next, owner.apiVersion, type))
    const comparison = comparisons.get(owner.apiVersion)
    // Fields of a version that is no longer served belong to nobody.
    if (!comparison) continue
    const taken = owner.fields.intersection(comparison.changed)
    if (!taken.isEmpty) conflicts.push({ owner, fields: taken })
    const fields = owner.fields.difference(taken).difference(comparison.removed)
    if (!fields.isEmpty) after.set(key, fields.equals(owner.fields) ? owner : { ...owner, fields })
  }
  if (!force && conflicts.length > 0) throw new ConflictError(conflicts)
  if (after.get(id)?.fields.isEmpty) after.delete(id)
  return [after, own]
}

function comparisonIn(live: JsonObject, next: JsonObject, apiVersion: string, type: TypedVersion): Comparison | undefined {
  const other = type.in?.(apiVersion)
  return other && without(compare(other.convert(live), other.convert(next), other.schema), type.ignored)
}

function without(comparison: Comparison, ignored: FieldSet | undefined): Comparison {
  if (!ignored) return comparison
  return { removed: comparison.removed.recursiveDifference(ignored), changed: comparison.changed.recursiveDifference(ignored) }
}

/**
 * `merged` without what the applier owned by its last apply, does not name any more, and nobody else applies. Three steps, as upstream: take
 * out all it owned, put back what appliers own, put back what was never its own.
 */
function pruned(merged: JsonObject, owners: Owners, last: Owner | undefined, type: TypedVersion): JsonObject {
  if (!last || last.fields.isEmpty) return merged
  const version = versionOf(type, last.apiVersion)
  if (!version) return merged
  const whole = version.convert(merged)
  const { schema } = version
  const lastFields = withNamedFields(last.fields, schema)
  let rest = objectOf(remove(whole, lastFields, schema))
  const appliedIn = new Map<string, FieldSet>([[last.apiVersion, FieldSet.empty]])
  for (const { operation, apiVersion, fields } of owners.values()) {
    if (operation === 'Apply') appliedIn.set(apiVersion, (appliedIn.get(apiVersion) ?? FieldSet.empty).union(fields))
  }
  for (const [apiVersion, owned] of appliedIn) rest = withOwned(whole, rest, owned, version, versionOf(type, apiVersion))
  const gone = withNamedFields(fieldsOf(whole, schema), schema)
    .difference(withNamedFields(fieldsOf(rest, schema), schema))
    .intersection(lastFields)
  return version.back(objectOf(remove(whole, gone, schema)))
}

/** Puts back into `rest` what is in `whole` and in `owned`; the sets are of the version `of`, the objects of `version`. */
function withOwned(whole: JsonObject, rest: JsonObject, owned: FieldSet, version: OtherVersion, of: OtherVersion | undefined): JsonObject {
  if (!of) return rest
  const [all, left] = of === version ? [whole, rest] : [of.convert(version.back(whole)), of.convert(version.back(rest))]
  const named = (set: FieldSet) => withNamedFields(set, of.schema)
  const gone = named(fieldsOf(all, of.schema)).difference(named(fieldsOf(left, of.schema)).union(named(owned)))
  const kept = objectOf(remove(all, gone, of.schema))
  return of === version ? kept : version.convert(of.back(kept))
}

const versions = new WeakMap<TypedVersion, OtherVersion>()

function versionOf(type: TypedVersion, apiVersion: string): OtherVersion | undefined {
  if (apiVersion !== type.apiVersion) return type.in?.(apiVersion)
  let own = versions.get(type)
  if (!own) {
    own = { schema: type.schema, convert: object => object, back: object => object }
    versions.set(type, own)
  }
  return own
}

function objectOf(value: unknown): JsonObject {
  return (value ?? {}) as JsonObject
}
