import { isJsonObject, type JsonObject, setAt, valueAt } from '../patch/json-object.ts'
import type { AnySchema } from '../schema/schema.ts'
import { goJson } from '../status/go-text.ts'
import type { FieldSet } from './field-set.ts'
import { compare, fieldsOf } from './typed-values.ts'

/** Where kubectl's client-side apply keeps what it applied last. */
export const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

export function hasLastApplied(object: JsonObject): boolean {
  return lastAppliedOf(object) !== undefined
}

/** The fields that client-side apply set and nobody has changed since; undefined where there was no such apply. */
export function allowedConflicts(live: JsonObject, schema: AnySchema): FieldSet | undefined {
  const text = lastAppliedOf(live)
  if (text === undefined) return undefined
  try {
    const last = JSON.parse(text) as unknown
    if (!isJsonObject(last)) return undefined
    const { changed, removed } = compare(last, live, schema)
    return fieldsOf(last, schema).difference(changed).difference(removed)
  } catch {
    return undefined
  }
}

/** `object` with the annotation telling of `config`, so that a later client-side apply knows what was applied. */
export function withLastApplied(object: JsonObject, config: JsonObject): JsonObject {
  const text = `${goJson(sorted(withoutAnnotation(config)))}\n`
  return annotated(object, text.length > MAX_LENGTH ? '' : text)
}

/** Annotations must not exceed 256 KiB; a longer configuration is not kept. */
const MAX_LENGTH = 256 * 1024

function lastAppliedOf(object: JsonObject): string | undefined {
  const metadata = valueAt(object, 'metadata')
  const annotations = isJsonObject(metadata) ? valueAt(metadata, 'annotations') : undefined
  const text = isJsonObject(annotations) ? valueAt(annotations, LAST_APPLIED) : undefined
  return typeof text === 'string' && text !== '' ? text : undefined
}

function annotated(object: JsonObject, text: string): JsonObject {
  const metadata = valueAt(object, 'metadata') as JsonObject
  const annotations = { ...(valueAt(metadata, 'annotations') as JsonObject), [LAST_APPLIED]: text }
  return { ...object, metadata: { ...metadata, annotations } }
}

function withoutAnnotation(config: JsonObject): JsonObject {
  const metadata = valueAt(config, 'metadata')
  const annotations = isJsonObject(metadata) ? valueAt(metadata, 'annotations') : undefined
  if (!isJsonObject(metadata) || !isJsonObject(annotations) || !Object.hasOwn(annotations, LAST_APPLIED)) return config
  const { [LAST_APPLIED]: _, ...rest } = annotations
  return { ...config, metadata: { ...metadata, annotations: rest } }
}

/** With the keys of all objects in order, as Go writes maps. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isJsonObject(value)) return value
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value).sort()) setAt(result, key, sorted(value[key]))
  return result
}
