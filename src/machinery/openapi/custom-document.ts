import { isJsonObject, type JsonObject, setAt } from '../patch/json-object.ts'
import type { MessageShape } from '../schema/schema.ts'
import { IS_RESOURCE, type JsonSchema, KEEPS_UNKNOWN } from '../structural/json-schema.ts'
import type { Dialect, Document } from './type-document.ts'

/** The document of a custom resource: its definition's schema, with what all objects have. */
export function customDocument(shape: MessageShape, open: JsonSchema, dialect: Dialect, kinds: readonly Document[]): Document {
  const groupVersionKind = kinds.length > 0 ? { 'x-kubernetes-group-version-kind': kinds } : {}
  // Clients of version 2 take the properties for all there are.
  if (dialect === 'v2' && open[KEEPS_UNKNOWN]) return { type: 'object', ...groupVersionKind }
  void shape
  const document = schemaDocument(open, dialect)
  const properties = { ...(document['properties'] as JsonObject | undefined), ...typeAndMetadata(dialect) }
  return { ...document, properties, ...groupVersionKind }
}

function typeAndMetadata(dialect: Dialect): JsonObject {
  return {
    apiVersion: { type: 'string', description: 'The group and version that the object is written in.' },
    kind: { type: 'string', description: 'What the object is: the kind of the resource.' },
    metadata: metadataDocument(dialect),
  }
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

function metadataDocument(dialect: Dialect): JsonObject {
  const description = 'Name, identity, labels and owners of the object.'
  if (dialect === 'v2') return { description, $ref: `#/definitions/${OBJECT_META}` }
  return { description, allOf: [{ $ref: `#/components/schemas/${OBJECT_META}` }] }
}

/** Words that hold schemas by name, and words that hold one or a list of them. */
const BY_NAME = new Set(['properties'])
const WITHIN = new Set(['items', 'additionalProperties', 'not', 'allOf', 'anyOf', 'oneOf'])
/** What version 2 of OpenAPI does not know. */
const ONLY_V3 = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'nullable'])

function schemaDocument(schema: JsonSchema, dialect: Dialect): Document {
  const isAnything = dialect === 'v2' && (schema.nullable === true || schema[KEEPS_UNKNOWN] === true)
  const document: Record<string, unknown> = {}
  for (const [word, value] of Object.entries(schema)) {
    if (value === undefined || (dialect === 'v2' && ONLY_V3.has(word))) continue
    // A value that may be null, or anything, has no type that clients of version 2 could hold it to.
    if (isAnything && ['type', 'items', 'properties', 'format', 'default'].includes(word)) continue
    document[word] = BY_NAME.has(word) ? documentsByName(value as JsonObject, dialect) : WITHIN.has(word) ? within(value, dialect) : value
  }
  if (schema[IS_RESOURCE] && !isAnything)
    document['properties'] = { ...(document['properties'] as JsonObject), ...typeAndMetadata(dialect) }
  return document
}

function documentsByName(schemas: JsonObject, dialect: Dialect): JsonObject {
  const documents: Record<string, unknown> = {}
  for (const name of Object.keys(schemas)) setAt(documents, name, within(schemas[name], dialect))
  return documents
}

function within(value: unknown, dialect: Dialect): unknown {
  if (Array.isArray(value)) return value.map(part => within(part, dialect))
  return isJsonObject(value) ? schemaDocument(value as JsonSchema, dialect) : value
}
