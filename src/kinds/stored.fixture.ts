import { isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import type { DraftObjectOf, Kind, ObjectOf, WriteContext } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'
import { textOf } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'

// biome-ignore lint/suspicious/noExplicitAny: a kind of whatever object
type Any = Kind<any, any>

/** An object as it stands after decoding and defaulting: what validation and everyone after it sees. */
export function stored<K extends Any>(kind: K, draft: DraftObjectOf<K>): ObjectOf<K> {
  const object = decode(kind.schema, draft, { defaults: true, unknown: [] }) as unknown as ObjectOf<K>
  kind.hooks.applyDefaults?.(object)
  return object
}

/** What validation says of an object, a sentence for each error. */
export function errorsOf<K extends Any>(kind: K, object: ObjectOf<K>): string[] {
  const errors = new FieldErrors()
  kind.hooks.validate?.(object, errors, contextAt(0))
  return errors.all.map(textOf)
}

/** What validation says of a change. */
export function updateErrorsOf<K extends Any>(kind: K, object: ObjectOf<K>, old: ObjectOf<K>, subresource = '', now = 0): string[] {
  const errors = new FieldErrors()
  kind.hooks.validateUpdate?.(object, old, errors, subresource, contextAt(now))
  return errors.all.map(textOf)
}

/** A write by somebody at that time, on a server whose gates are as in upstream by default. */
export function contextAt(now: number, subresource = ''): WriteContext {
  return { now, subresource, user: { name: 'alice', groups: [] }, isGateOn: name => isGateOn(name, {}) }
}
