import fc from 'fast-check'
import { type AnyField, type AnySchema, type MessageShape, shapeOf } from './schema.ts'

/** How deep a random value nests: schemas may refer to themselves. */
const DEPTH = 5

/** Random JSON values that a client might send for `schema`: of the right types, fields left out at random. */
export function arbitraryOf(schema: AnySchema, depth = DEPTH): fc.Arbitrary<unknown> {
  const shape = shapeOf(schema)
  switch (shape.type) {
    case 'string':
      return shape.values ? fc.constantFrom(...shape.values) : word
    case 'boolean':
      return fc.boolean()
    case 'integer':
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map(value => (Object.is(value, -0) ? 0 : value))
    case 'bytes':
      return fc.uint8Array({ maxLength: 9 }).map(bytes => btoa(String.fromCharCode(...bytes)))
    case 'time':
      return seconds.map(second => `${new Date(second * 1000).toISOString().slice(0, 19)}Z`)
    case 'microTime':
      return fc
        .tuple(seconds, fc.integer({ min: 0, max: 999_999 }))
        .map(([second, micro]) => `${new Date(second * 1000).toISOString().slice(0, 19)}.${String(micro).padStart(6, '0')}Z`)
    case 'duration':
      return fc.integer({ min: 1, max: 59 }).map(count => `${count}s`)
    case 'quantity':
      return fc.tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('', 'm', 'k', 'Mi', 'Gi')).map(([count, unit]) => `${count}${unit}`)
    case 'intOrString':
      return fc.oneof(fc.integer({ min: 0, max: 65_535 }), word)
    case 'raw':
    case 'structural':
      return fc.dictionary(word, fc.oneof(word, fc.boolean(), fc.integer()), { maxKeys: 3 })
    case 'list':
      return depth <= 0 ? fc.constant([]) : fc.array(arbitraryOf(shape.of, depth - 1), { maxLength: 2 })
    case 'map':
      return depth <= 0 ? fc.constant({}) : fc.dictionary(word, arbitraryOf(shape.of, depth - 1), { maxKeys: 2 })
    case 'message':
      return depth <= 0 ? fc.constant({}) : arbitraryMessage(shape, depth)
  }
}

function arbitraryMessage({ fields }: MessageShape, depth: number): fc.Arbitrary<unknown> {
  const entries = Object.entries(fields).filter(([, field]) => field.number !== undefined)
  const model = Object.fromEntries(entries.map(([name, field]: [string, AnyField]) => [name, arbitraryOf(field.schema, depth - 1)]))
  return fc.record(model, { requiredKeys: [] })
}

const word = fc.stringMatching(/^[a-zA-Z0-9_.é-]{1,8}$/)
const seconds = fc.integer({ min: 0, max: 4_102_444_800 })
