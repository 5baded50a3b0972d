import { type Union, unionOf } from '../codec/protobuf/layout.ts'
import { type AnyField, type AnySchema, type MessageShape, type Shape, shapeOf } from '../schema/schema.ts'
import { customDocument } from './custom-document.ts'
import { exceptionFor } from './exceptions.ts'

/** OpenAPI 2 (`/openapi/v2`) or 3 (`/openapi/v3/…`): they differ in where references point and in what may stand beside them. */
export type Dialect = 'v2' | 'v3'

/** A JSON object of a document. */
export type Document = Readonly<Record<string, unknown>>

/** The document of a message. `kinds` are the group-version-kinds that it is the object of. */
export function typeDocument(shape: MessageShape, dialect: Dialect, kinds: readonly Document[] = []): Document {
  if (shape.open) return customDocument(shape, shape.open, dialect, kinds)
  const properties: Record<string, unknown> = {}
  const required: string[] = []
  for (const name of Object.keys(shape.fields)) {
    const field = shape.fields[name]!
    properties[name] = property(shape, name, field, dialect)
    if (exceptionFor(shape.name, name)?.required ?? isRequired(field)) required.push(name)
  }
  return {
    ...(shape.documentation === '' ? {} : { description: shape.documentation }),
    type: 'object',
    ...(required.length > 0 ? { required } : {}),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(kinds.length > 0 ? { 'x-kubernetes-group-version-kind': kinds } : {}),
    ...(shape.mapType === 'atomic' ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  }
}

/** The documents of the types that are no messages: what a reference to them finds. */
export function specialDocument(name: string, dialect: Dialect): Document | undefined {
  if (name === QUANTITY || name === INT_OR_STRING) {
    const format = name === INT_OR_STRING ? { format: 'int-or-string' } : {}
    if (dialect === 'v2') return { type: 'string', ...format }
    return {
      oneOf: name === INT_OR_STRING ? [{ type: 'integer' }, { type: 'string' }] : [{ type: 'string' }, { type: 'number' }],
      ...format,
    }
  }
  return SPECIAL[name]
}

/** The message types that a message refers to, and the names of the special ones. */
export function referencesOf(shape: MessageShape): { readonly messages: readonly MessageShape[]; readonly special: readonly string[] } {
  const messages: MessageShape[] = []
  const special: string[] = []
  for (const [name, field] of Object.entries(shape.fields)) {
    let inner = shapeOf(field.schema)
    const union = unionOf(shape, name)
    if (union) special.push(UNION_TYPES[union])
    while (inner.type === 'list' || inner.type === 'map') inner = shapeOf(inner.of)
    if (inner.type === 'message') messages.push(inner)
    else {
      const name = referenceName(inner)
      if (name !== undefined) special.push(name)
    }
  }
  return { messages, special }
}

/** The value of `$ref` for a type. */
export function reference(name: string, dialect: Dialect): string {
  return `${dialect === 'v2' ? '#/definitions/' : '#/components/schemas/'}${name}`
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity'
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString'
const RAW = {
  extension: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  json: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON',
  fields: `${META}.FieldsV1`,
}

const UNION_TYPES: Readonly<Record<Union, string>> = {
  schemaOrList: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray',
  schemaOrBoolean: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool',
  schemaOrNames: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray',
}

/** A schema or something else: any JSON to the documents, a map of those for `dependencies`. */
function unionType(union: Union, dialect: Dialect): Document {
  const ref = { $ref: reference(UNION_TYPES[union], dialect) }
  return union === 'schemaOrNames' ? { type: 'object', additionalProperties: ref } : ref
}

const SPECIAL: Readonly<Record<string, Document>> = {
  [`${META}.Time`]: { description: 'A moment, to the second.', type: 'string', format: 'date-time' },
  [`${META}.MicroTime`]: { description: 'A moment, to the microsecond.', type: 'string', format: 'date-time' },
  [`${META}.Duration`]: { description: "A duration in Go's notation.", type: 'string' },
  [`${META}.Patch`]: { description: 'A patch of the kind that the content type says.', type: 'object' },
  [RAW.extension]: { description: 'An object of any kind.', type: 'object' },
  [UNION_TYPES.schemaOrList]: { description: 'A schema, or a list of schemas.' },
  [UNION_TYPES.schemaOrBoolean]: { description: 'A schema, or true or false.' },
  [UNION_TYPES.schemaOrNames]: { description: 'A schema, or a list of names.' },
  [RAW.json]: { description: 'Any JSON value.' },
  [RAW.fields]: { description: 'A set of field paths.', type: 'object' },
}

function property(shape: MessageShape, name: string, field: AnyField, dialect: Dialect): Document {
  const exception = exceptionFor(shape.name, name)
  const union = unionOf(shape, name)
  const value = union ? unionType(union, dialect) : typeOf(field.schema, dialect)
  const isListOfObjects = name === 'items' && shape.name.endsWith('List')
  const hasListType = exception?.hasListType ?? !isListOfObjects
  const extras = {
    ...described(name, field),
    ...defaultOf(field, exception?.default, dialect),
    ...extensions(field, hasListType, exception?.mapType),
  }
  // Beside a reference nothing else may stand: version 3 wraps it, version 2 tolerates it.
  if (dialect === 'v3' && '$ref' in value && Object.keys(extras).length > 0) return { ...extras, allOf: [value] }
  return { ...value, ...extras }
}

function typeOf(schema: AnySchema, dialect: Dialect): Document {
  const shape = shapeOf(schema)
  const name = shape.type === 'message' ? shape.name : referenceName(shape)
  if (name !== undefined) return { $ref: reference(name, dialect) }
  switch (shape.type) {
    case 'string':
      return shape.values ? { type: 'string', enum: [...shape.values].sort() } : { type: 'string' }
    case 'boolean':
      return { type: 'boolean' }
    case 'integer':
      return { type: 'integer', format: `int${shape.bits}` }
    case 'number':
      return { type: 'number', format: 'double' }
    case 'bytes':
      return { type: 'string', format: 'byte' }
    case 'list':
      return { type: 'array', items: element(shape.of, dialect) }
    case 'map':
      return { type: 'object', additionalProperties: element(shape.of, dialect) }
    default:
      return { type: 'object' }
  }
}

/** An element says its zero in version 3, as upstream's does. */
function element(schema: AnySchema, dialect: Dialect): Document {
  const value = typeOf(schema, dialect)
  const zero = zeroOf(schema)
  if (dialect === 'v2' || zero === undefined) return value
  return '$ref' in value ? { default: zero, allOf: [value] } : { ...value, default: zero }
}

function referenceName(shape: Exclude<Shape, { type: 'lazy' }>): string | undefined {
  switch (shape.type) {
    case 'time':
      return `${META}.Time`
    case 'microTime':
      return `${META}.MicroTime`
    case 'duration':
      return `${META}.Duration`
    case 'quantity':
      return QUANTITY
    case 'intOrString':
      return INT_OR_STRING
    case 'raw':
      return RAW[shape.as]
    default:
      return undefined
  }
}

function described(name: string, { documentation, number }: AnyField): Document {
  const description = documentation === '' && number === undefined ? TYPE_META[name] : documentation
  return description ? { description } : {}
}

/** What every object has outside of its protobuf message. */
const TYPE_META: Readonly<Record<string, string>> = {
  apiVersion: 'The group and version that the object is written in.',
  kind: 'What the object is: the kind of the resource.',
}

/** A field that is always sent: a value without omitempty, or a pointer that validation wants. */
function isRequired({ presence }: AnyField): boolean {
  return presence === 'required'
}

function defaultOf({ presence, goKind, schema }: AnyField, exception: unknown, dialect: Dialect): Document {
  if (dialect === 'v2') return exception === undefined || exception === null ? {} : { default: exception }
  if (exception !== undefined) return exception === null ? {} : { default: exception }
  if (goKind === 'pointer' || (presence !== 'required' && presence !== 'embedded')) return {}
  const zero = zeroOf(schema)
  return zero === undefined ? {} : { default: zero }
}

/** Go's zero of a type as the documents show it; lists, maps and special types have none. */
function zeroOf(schema: AnySchema): unknown {
  const shape = shapeOf(schema)
  switch (shape.type) {
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'integer':
    case 'number':
      return 0
    case 'message':
      return {}
    default:
      return undefined
  }
}

function extensions(field: AnyField, hasListType: boolean, mapType: 'granular' | 'atomic' | undefined): Document {
  const shape = shapeOf(field.schema)
  const patchStrategy = field.patchStrategy ?? (shape.type === 'list' ? shape.patchStrategy : undefined)
  const list =
    shape.type === 'list'
      ? {
          ...(shape.keys.length > 0 ? { 'x-kubernetes-list-map-keys': shape.keys } : {}),
          ...(hasListType ? { 'x-kubernetes-list-type': shape.listType } : {}),
          ...(shape.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': shape.patchMergeKey }),
        }
      : {}
  return {
    ...list,
    ...(mapType
      ? { 'x-kubernetes-map-type': mapType }
      : shape.type === 'map' && shape.mapType === 'atomic'
        ? { 'x-kubernetes-map-type': 'atomic' }
        : {}),
    ...(patchStrategy === undefined ? {} : { 'x-kubernetes-patch-strategy': patchStrategy }),
  }
}
