import { BOOL, BYTES, type CelType, DOUBLE, DYN, INT, listOf, mapOf, objectType, STRING, TIMESTAMP } from '#base/languages/cel/types.ts'
import type { AnySchema, MessageShape } from '../schema/schema.ts'
import { typeOfStructuralSchema } from './structural-types.ts'

/** The type of a built-in kind's values, out of its schema. Messages that contain themselves are types that contain themselves. */
export function typeOfSchema({ shape }: AnySchema): CelType {
  switch (shape.type) {
    case 'boolean':
      return BOOL
    case 'integer':
      return INT
    case 'number':
      return DOUBLE
    case 'bytes':
      return BYTES
    case 'time':
    case 'microTime':
      return TIMESTAMP
    case 'intOrString':
      return DYN
    case 'raw':
      return DYN
    case 'list':
      return listOf(typeOfSchema(shape.of))
    case 'map':
      return mapOf(STRING, typeOfSchema(shape.of))
    case 'lazy':
      return typeOfSchema(shape.of())
    case 'message':
      return messageType(shape)
    case 'structural':
      return typeOfStructuralSchema(shape.of) ?? DYN
    default:
      return STRING
  }
}

const known = new WeakMap<MessageShape, CelType>()

function messageType(shape: MessageShape): CelType {
  const made = known.get(shape)
  if (made !== undefined) return made
  const { fields } = shape
  const types = new Map<string, CelType>()
  const type = objectType(shape.name, {
    get(name) {
      if (!Object.hasOwn(fields, name)) return undefined
      const field = types.get(name) ?? typeOfSchema(fields[name]!.schema)
      types.set(name, field)
      return field
    },
    names: () => Object.keys(fields),
  })
  known.set(shape, type)
  return type
}
