import { type AnyField, type AnySchema, type MessageShape, shapeOf } from '../../schema/schema.ts'

/** A field on the wire: itself, or a message that JSON shows flat. */
export type WireField =
  | {
      readonly number: number
      readonly name: string
      readonly schema: AnySchema
      readonly emitsZero: boolean
      readonly union?: Union | undefined
    }
  | { readonly number: number; readonly inlined: readonly WireField[] }

/** Types that are one of two things in JSON and a message with two fields in protobuf. */
export type Union = 'schemaOrList' | 'schemaOrBoolean' | 'schemaOrNames'

const layouts = new WeakMap<MessageShape, readonly WireField[]>()

/** The fields of a message in the order of their numbers, which is the order upstream writes them in. */
export function layoutOf(shape: MessageShape): readonly WireField[] {
  let layout = layouts.get(shape)
  if (!layout) {
    layout = arranged(shape, Object.entries(shape.fields), 0)
    layouts.set(shape, layout)
  }
  return layout
}

/** Arranges fields of which the first `depth` messages around them are open already. */
function arranged(shape: MessageShape, fields: readonly [string, AnyField][], depth: number): WireField[] {
  const wire: WireField[] = []
  const inlined = new Map<number, [string, AnyField][]>()
  for (const [name, field] of fields) {
    const around = field.within[depth]
    if (around !== undefined) inlined.set(around, [...(inlined.get(around) ?? []), [name, field]])
    else if (field.number !== undefined) {
      wire.push({ number: field.number, name, schema: field.schema, emitsZero: emitsZero(field), union: unionOf(shape, name) })
    }
  }
  for (const [number, members] of inlined) wire.push({ number, inlined: arranged(shape, members, depth + 1) })
  return wire.sort((left, right) => left.number - right.number)
}

/** Whether the field is written even if it says nothing: what Go keeps by value is, pointers, lists and maps are not. */
function emitsZero({ presence, goKind, schema }: AnyField): boolean {
  const { type } = shapeOf(schema)
  if (type === 'list' || type === 'map' || type === 'bytes') return false
  if (presence === 'required' || presence === 'embedded') return goKind !== 'pointer'
  if (presence === 'omitempty') return true
  return presence === 'defaulted' && goKind === 'value'
}

const JSON_SCHEMA_PROPS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps'
const UNIONS: Readonly<Record<string, Union>> = {
  items: 'schemaOrList',
  additionalProperties: 'schemaOrBoolean',
  additionalItems: 'schemaOrBoolean',
  dependencies: 'schemaOrNames',
}

/** Which of those a field is, if any. */
export function unionOf(shape: MessageShape, name: string): Union | undefined {
  return shape.name === JSON_SCHEMA_PROPS ? UNIONS[name] : undefined
}
