import { interned } from '#base/collections/interned.ts'
import { NumberLiteral, withoutLiterals } from '../codec/json/number-literal.ts'
import { rawJson } from '../codec/json/raw-json.ts'
import type { JsonObject } from '../patch/json-object.ts'
import { canonicalQuantity } from '../quantity/quantity.ts'
import type { JsonSchema } from '../structural/json-schema.ts'
import { shapeFields } from '../structural/shape-value.ts'
import { canonicalMicroTime, canonicalTime } from '../time/time.ts'
import { type AnyField, type AnySchema, type MessageShape, type Shape, shapeOf } from './schema.ts'

/** What a client sent does not have the type that the schema says. The message is upstream's (Go's `encoding/json`). */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/** What a decoding notes down beside its result. */
export interface DecodeContext {
  /** Fill in defaults while decoding. */
  readonly defaults: boolean
  /** The paths of fields that no schema knows: `spec.replicaz`. They are dropped from the result. */
  readonly unknown: string[]
  /** Parts of the value that are canonical already, each by its schema: as fields of messages they are taken over as they are. */
  readonly canonical?: ReadonlyMap<unknown, AnySchema>
}

type Decoder = (value: unknown, path: string, context: DecodeContext, owner: string) => unknown

/**
 * Turns parsed JSON into the canonical value of `schema`: known fields only, in the order of their declaration, zero values as the
 * presence of each field says, defaults filled in if asked for. The input is never changed and nothing of it is shared but raw values and
 * what the context calls canonical.
 *
 * Throws {@link DecodeError} where a value has the wrong type.
 */
export function decode<T>(schema: { readonly shape: Shape; readonly stored?: T }, value: unknown, context: DecodeContext): T {
  const root = schema.shape.type === 'message' ? lastPart(schema.shape.name) : ''
  return decoderOf(schema)(value ?? {}, '', context, root) as T
}

const compiled = new WeakMap<Shape, Decoder>()

function decoderOf(schema: AnySchema): Decoder {
  const known = compiled.get(schema.shape)
  if (known) return known
  const decoder = compile(schema)
  compiled.set(schema.shape, decoder)
  return decoder
}

function compile(schema: AnySchema): Decoder {
  const shape = schema.shape
  switch (shape.type) {
    case 'lazy': {
      let decoder: Decoder | undefined
      return (value, path, context, owner) => {
        decoder ??= decoderOf(shape.of())
        return decoder(value, path, context, owner)
      }
    }
    case 'string':
      return (value, path, _context, owner) => {
        if (typeof value === 'string') return interned(value)
        throw mismatch(value, path, owner, 'string')
      }
    case 'boolean':
      return scalarDecoder('boolean', 'bool')
    case 'number':
      return (value, path, _context, owner) => {
        if (typeof value === 'number') return value
        if (typeof value === 'bigint' || value instanceof NumberLiteral) return Number(value)
        throw mismatch(value, path, owner, 'float64')
      }
    case 'integer':
      return integerDecoder(shape.bits)
    case 'bytes':
      return (value, path, _context, owner) => {
        if (typeof value !== 'string') throw mismatch(value, path, owner, '[]uint8')
        const bad = firstBadBase64(value)
        if (bad >= 0) throw new DecodeError(`illegal base64 data at input byte ${bad}`)
        return value.includes('\n') || value.includes('\r') ? value.replace(/[\r\n]/g, '') : value
      }
    case 'time':
      return (value, path, _context, owner) => {
        if (typeof value !== 'string') throw mismatch(value, path, owner, 'string')
        return reading(canonicalTime, value)
      }
    case 'microTime':
      return (value, path, _context, owner) => {
        if (typeof value !== 'string') throw mismatch(value, path, owner, 'string')
        return reading(canonicalMicroTime, value)
      }
    case 'duration':
      return scalarDecoder('string', 'string')
    case 'quantity':
      return (value, path, _context, owner) => {
        if (typeof value === 'number' || typeof value === 'bigint') return reading(canonicalQuantity, String(value))
        if (value instanceof NumberLiteral) return reading(canonicalQuantity, value.text)
        if (typeof value !== 'string') throw mismatch(value, path, owner, 'string')
        return reading(canonicalQuantity, value)
      }
    case 'intOrString':
      return (value, path, _context, owner) => {
        if (typeof value === 'string') return value
        if (typeof value === 'number' && Number.isInteger(value)) {
          if (value > 2147483647 || value < -2147483648) throw outOfRange(value, path, owner, 'int32')
          return value
        }
        throw mismatch(value, path, owner, 'int32')
      }
    case 'raw':
      if (shape.as === 'extension') return rawJson
      return shape.objects ? jsonDecoder(shape.objects) : withoutLiterals
    case 'structural':
      return withoutLiterals
    case 'list': {
      const element = decoderOf(shape.of)
      const goType = goTypeOf(schema)
      return (value, path, context, owner) => {
        if (!Array.isArray(value)) throw mismatch(value, path, owner, goType)
        if (shape.nullable && value.length === 0) return null
        const result = new Array<unknown>(value.length)
        for (let index = 0; index < value.length; index++) {
          const item: unknown = value[index]
          result[index] = item === null ? zeroOf(shape.of) : element(item, `${path}[${index}]`, context, owner)
        }
        return result
      }
    }
    case 'map': {
      const element = decoderOf(shape.of)
      const goType = goTypeOf(schema)
      return (value, path, context, owner) => {
        if (!isObject(value)) throw mismatch(value, path, owner, goType)
        const result: Record<string, unknown> = {}
        for (const key of sortedKeys(value)) {
          const item = value[key]
          put(result, key, item === null ? zeroOf(shape.of) : element(item, `${path}${KEY_START}${key}${KEY_END}`, context, owner))
        }
        return result
      }
    }
    case 'message':
      return shape.open ? openDecoder(shape, shape.open) : messageDecoder(shape)
  }
}

/** Objects in the value, if it is one or a list of them, are canonical as any. */
function jsonDecoder(objects: () => AnySchema): Decoder {
  let decoder: Decoder | undefined
  return (value, path, context, owner) => {
    decoder ??= decoderOf(objects())
    const decode = decoder
    if (isObject(value)) return decode(value, path, context, owner)
    if (!Array.isArray(value)) return withoutLiterals(value)
    return value.map((item: unknown, index) => (isObject(item) ? decode(item, `${path}[${index}]`, context, owner) : withoutLiterals(item)))
  }
}

/** A custom resource: what all objects have by its own declaration, the rest as the definition says. */
function openDecoder(shape: MessageShape, open: JsonSchema): Decoder {
  const { metadata, ...type } = shape.fields
  const declared = messageDecoder({ ...shape, fields: type })
  return (value, path, context, owner) => {
    if (!isObject(value)) throw mismatch(value, path, lastPart(shape.name), 'map[string]interface {}')
    const { defaults } = context
    const result = declared(value, path, { defaults, unknown: [] }, owner) as Record<string, unknown>
    const unknown: string[] = []
    result['metadata'] = metadata ? metadataAt(metadata, value['metadata'], 'metadata', unknown) : {}
    context.unknown.push(...unknown.sort())
    const dropped: string[] = []
    const embedded: string[] = []
    const inner = (item: unknown, at: string) => innerMetadata(metadata!, item, at, embedded)
    const fields = shapeFields(withoutLiterals(value) as JsonObject, open, { defaults, unknown: dropped, metadata: inner })
    for (const key of Object.keys(fields)) put(result, key, fields[key])
    context.unknown.push(...dropped.sort(), ...embedded.sort())
    return result
  }
}

/** Metadata is read by itself: messages do not say where it stands. */
function metadataAt(field: AnyField, value: unknown, path: string, unknown: string[]): unknown {
  const own: string[] = []
  const decoded = decoderOf(field.schema)(value ?? {}, '', { defaults: false, unknown: own }, 'ObjectMeta')
  unknown.push(...own.map(name => `${path}.${name}`))
  return decoded
}

/** The metadata of an object within the object; what it is wrong with it is validation's to say. */
function innerMetadata(field: AnyField, value: unknown, path: string, unknown: string[]): unknown {
  try {
    return metadataAt(field, value, path, unknown)
  } catch (error) {
    if (error instanceof DecodeError) return value
    throw error
  }
}

interface CompiledField {
  readonly name: string
  readonly decoder: Decoder
  readonly field: AnyField
  readonly zero: () => unknown
  readonly keepsZero: boolean
  readonly isMessage: boolean
  /** The type of JavaScript that its values have, where that is all there is to check. */
  readonly plain: 'string' | 'boolean' | undefined
}

// Hot: bench/codec — one pass over the declared fields, no allocation for what is absent.
function messageDecoder(shape: MessageShape): Decoder {
  let fields: readonly CompiledField[] | undefined
  const goName = lastPart(shape.name)
  return (value, path, context) => {
    fields ??= Object.entries(shape.fields).map(([name, field]) => compileField(name, field))
    if (!isObject(value)) throw mismatch(value, path, goName, `v1.${goName}`)
    const result: Record<string, unknown> = {}
    let known = 0
    for (const { name, decoder, field, zero, keepsZero, isMessage, plain } of fields) {
      const sent = value[name]
      if (sent !== undefined && Object.hasOwn(value, name)) {
        known++
        if (context.canonical !== undefined && typeof sent === 'object' && context.canonical.get(sent) === field.schema) {
          result[name] = sent
          continue
        }
        if (sent !== null) {
          // Most values are what they should be, and their place need not be put into words.
          const decoded =
            plain !== undefined && typeof sent === plain
              ? typeof sent === 'string'
                ? interned(sent)
                : sent
              : decoder(sent, path === '' ? name : `${path}.${name}`, context, goName)
          if (keepsZero || !isZero(decoded)) {
            result[name] = decoded
            continue
          }
        }
      }
      if (field.presence === 'required' || field.presence === 'embedded') {
        if (field.goKind === 'pointer') {
          if (field.presence === 'embedded') result[name] = null
        } else result[name] = isMessage ? decoder({}, path === '' ? name : `${path}.${name}`, context, goName) : zero()
      } else if (context.defaults && field.defaultValue !== undefined) result[name] = copy(field.defaultValue)
    }
    if (hasMoreThan(known, value)) noteUnknown(shape, value, path, context)
    if (context.defaults) shape.applyDefaults?.(result)
    return result
  }
}

function compileField(name: string, field: AnyField): CompiledField {
  const { type } = shapeOf(field.schema)
  const keepsZero = field.presence === 'required' || field.presence === 'optional' || field.presence === 'embedded'
  return {
    name,
    field,
    decoder: decoderOf(field.schema),
    zero: () => zeroOf(field.schema),
    isMessage: type === 'message',
    plain: type === 'string' || type === 'boolean' ? type : undefined,
    keepsZero: keepsZero || (field.presence === 'defaulted' && field.goKind !== 'value'),
  }
}

function hasMoreThan(count: number, value: Record<string, unknown>): boolean {
  let keys = 0
  for (const _ in value) if (++keys > count) return true
  return false
}

function noteUnknown(shape: MessageShape, value: Record<string, unknown>, path: string, context: DecodeContext): void {
  for (const name of Object.keys(value)) {
    if (!Object.hasOwn(shape.fields, name)) context.unknown.push(path === '' ? name : `${shownPath(path)}.${name}`)
  }
}

/** The keys of a map in the order in which upstream writes them. */
function sortedKeys(value: Record<string, unknown>): string[] {
  const keys = Object.keys(value)
  for (let index = 1; index < keys.length; index++) if (keys[index - 1]! > keys[index]!) return keys.sort()
  return keys
}

function shownPath(path: string): string {
  return path.includes(KEY_START) ? path.replaceAll(KEY_START, '.').replaceAll(KEY_END, '') : path
}

/** The value of a required field that was not sent. */
function zeroOf(schema: AnySchema): unknown {
  const shape = shapeOf(schema)
  switch (shape.type) {
    case 'string':
    case 'bytes':
      return ''
    case 'duration':
      return '0s'
    case 'quantity':
      return '0'
    case 'boolean':
      return false
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0
    case 'list':
      return shape.nullable ? null : []
    case 'map':
    case 'message':
      return shape.type === 'message' ? decode(schema, {}, { defaults: false, unknown: [] }) : {}
    case 'time':
    case 'microTime':
    case 'raw':
    case 'structural':
      return null
  }
}

/** Zero as Go's omitempty means it. */
function isZero(value: unknown): boolean {
  if (value === '' || value === 0 || value === false || value === null || value === undefined) return true
  if (Array.isArray(value)) return value.length === 0
  if (typeof value === 'object') {
    for (const _ in value) return false
    return true
  }
  return false
}

function scalarDecoder(type: 'string' | 'boolean', goType: string): Decoder {
  return (value, path, _context, owner) => {
    if (typeof value === type) return value
    throw mismatch(value, path, owner, goType)
  }
}

function integerDecoder(bits: 32 | 64): Decoder {
  const goType = `int${bits}`
  const limit = 2n ** BigInt(bits - 1)
  return (value, path, _context, owner) => {
    if (typeof value === 'number' && Number.isInteger(value)) {
      if (bits === 64 || (value >= -2147483648 && value <= 2147483647)) return value
      throw outOfRange(value, path, owner, goType)
    }
    if (typeof value === 'bigint') {
      if (value >= -limit && value < limit) return value
      throw outOfRange(value, path, owner, goType)
    }
    throw mismatch(value, path, owner, goType)
  }
}

function mismatch(value: unknown, path: string, owner: string, goType: string): DecodeError {
  const isNumber = typeof value === 'number' || typeof value === 'bigint'
  const number = value instanceof NumberLiteral ? value.text : isNumber ? value : undefined
  const what = number === undefined ? jsonTypeOf(value) : describeNumber(number, goType)
  return new DecodeError(`json: cannot unmarshal ${what} into Go ${place(path, owner)} of type ${goType}`)
}

function outOfRange(value: number | bigint, path: string, owner: string, goType: string): DecodeError {
  return new DecodeError(`json: cannot unmarshal number ${value} into Go ${place(path, owner)} of type ${goType}`)
}

function describeNumber(value: number | bigint | string, goType: string): string {
  return goType.startsWith('int') ? `number ${value}` : 'number'
}

/** Around the key of a map within a path: keys are shown of unknown fields only. */
const KEY_START = '\u0001'
const KEY_END = '\u0002'
// biome-ignore lint/suspicious/noControlCharactersInRegex: see above
const NOT_IN_ERRORS = /\[\d+\]|\u0001[^\u0002]*\u0002/g

/** Go names the innermost struct and the path of the field from the root, without list indices and keys of maps. */
function place(path: string, owner: string): string {
  return path === '' ? 'value' : `struct field ${owner}.${path.replace(NOT_IN_ERRORS, '')}`
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'boolean') return 'bool'
  if (Array.isArray(value)) return 'array'
  return typeof value
}

/** The type as Go prints it in an error: `[]v1.Container`, `map[string]string`. */
function goTypeOf(schema: AnySchema): string {
  const shape = shapeOf(schema)
  switch (shape.type) {
    case 'list':
      return `[]${goTypeOf(shape.of)}`
    case 'map':
      return `map[string]${goTypeOf(shape.of)}`
    case 'message': {
      const parts = shape.name.split('.')
      return `${parts.at(-2)}.${parts.at(-1)}`
    }
    case 'integer':
      return `int${shape.bits}`
    case 'boolean':
      return 'bool'
    case 'number':
      return 'float64'
    case 'bytes':
      return '[]uint8'
    case 'quantity':
      return 'resource.Quantity'
    case 'intOrString':
      return 'intstr.IntOrString'
    case 'time':
      return 'v1.Time'
    case 'microTime':
      return 'v1.MicroTime'
    case 'duration':
      return 'v1.Duration'
    case 'structural':
      return 'interface {}'
    case 'raw':
      return shape.as === 'json' ? 'v1.JSON' : 'runtime.RawExtension'
    case 'string':
      return 'string'
  }
}

const lastPart = (name: string) => name.slice(name.lastIndexOf('.') + 1)

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sets an own property even where the name means something to JavaScript. */
function put(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (!isObject(value)) return value
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(value)) put(result, key, copy(value[key]))
  return result
}

/** The first byte that is no standard base64, or -1. */
function firstBadBase64(text: string): number {
  const bare = text.replace(/[\r\n]/g, '')
  if (bare.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(bare)) return -1
  const bad = bare.search(/[^A-Za-z0-9+/]/)
  return bad >= 0 && !/^={1,2}$/.test(bare.slice(bad)) ? bad : bare.length - (bare.length % 4)
}

/** Runs a reader of text, whose complaint is a mistake of the client. */
function reading(read: (text: string) => string, text: string): string {
  try {
    return read(text)
  } catch (error) {
    throw error instanceof Error ? new DecodeError(error.message, { cause: error }) : error
  }
}
