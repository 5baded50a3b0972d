import {
  create, type DescEnum, type DescField, type DescMessage, equals, fromBinary, type Message, type MessageShape,type Registry, ScalarType, toBinary, 
} from '@bufbuild/protobuf' // biome-ignore format: one list
import { type ReflectList, type ReflectMap, type ReflectMessage, reflect } from '@bufbuild/protobuf/reflect'
import {type Any,
  AnySchema, DurationSchema, ListValueSchema, NullValue, StructSchema, TimestampSchema, type Value, ValueSchema, 
} from '@bufbuild/protobuf/wkt' // biome-ignore format: one list
import { EvaluationError } from './evaluation-error.ts'
import {
  ANY, BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, listOf, mapOf, objectType, STRING, TIMESTAMP, UINT, wrapperOf,
} from './types.ts' // biome-ignore format: one list
import {
  ArrayList, CelDuration, CelList, CelMap, CelObject, CelTimestamp, CelUint, type CelValue, EntryMap,
} from './values.ts' // biome-ignore format: one list

/*
 * Messages of protobuf as objects of CEL: what the conformance suite is written in. Nothing of Kubernetes needs it.
 */

const WRAPPERS: Readonly<Record<string, CelType>> = {
  BoolValue: BOOL, BytesValue: BYTES, DoubleValue: DOUBLE, FloatValue: DOUBLE, Int32Value: INT, Int64Value: INT, StringValue: STRING,
  UInt32Value: UINT, UInt64Value: UINT,
} // biome-ignore format: a table

export class ProtobufTypes {
  readonly registry: Registry
  readonly #types = new Map<string, CelType>()

  constructor(registry: Registry) {
    this.registry = registry
  }

  /** Every type that an expression may name. */
  types(): CelType[] {
    return [...this.registry].filter(desc => desc.kind === 'message').map(desc => this.namedType(desc))
  }

  /** Values of enumerations by their names. */
  constants(): Record<string, { type: CelType; value: CelValue }> {
    const enums: DescEnum[] = []
    const collect = (desc: DescMessage) => {
      enums.push(...desc.nestedEnums)
      desc.nestedMessages.forEach(collect)
    }
    for (const desc of this.registry) {
      if (desc.kind === 'enum') enums.push(desc)
      if (desc.kind === 'message') collect(desc)
    }
    return Object.fromEntries(
      enums.flatMap(desc => desc.values.map(value => [`${desc.typeName}.${value.name}`, { type: INT, value: BigInt(value.number) }])),
    )
  }

  /** The type that `name{…}` constructs. */
  namedType(desc: DescMessage): CelType {
    const known = this.#types.get(desc.typeName)
    if (known !== undefined) return known
    const plain = objectType(desc.typeName, {
      get: name => {
        const field = desc.fields.find(candidate => candidate.name === name)
        return field === undefined ? undefined : this.fieldType(field)
      },
      names: () => desc.fields.map(field => field.name),
    })
    const instance = this.messageType(desc)
    const made: CelType = {
      ...plain,
      construct: fields => this.construct(desc, fields),
      ...(instance.kind === 'object' ? {} : { instance }),
    }
    this.#types.set(desc.typeName, made)
    return made
  }

  messageType(desc: DescMessage): CelType {
    const name = desc.typeName.startsWith('google.protobuf.') ? desc.typeName.slice('google.protobuf.'.length) : ''
    const wrapped = WRAPPERS[name]
    if (wrapped !== undefined) return wrapperOf(wrapped)
    switch (name) {
      case 'Any':
        return ANY
      case 'Value':
        return DYN
      case 'Struct':
        return mapOf(STRING, DYN)
      case 'ListValue':
        return listOf(DYN)
      case 'Timestamp':
        return TIMESTAMP
      case 'Duration':
        return DURATION
      default:
        return this.#types.get(desc.typeName) ?? this.#referenced(desc)
    }
  }

  /** A message named by a field: its own fields are looked up when they are asked for. */
  #referenced(desc: DescMessage): CelType {
    return objectType(desc.typeName, {
      get: name => this.namedType(desc).fields!.get(name),
      names: () => this.namedType(desc).fields!.names(),
    })
  }

  fieldType(field: DescField): CelType {
    switch (field.fieldKind) {
      case 'list':
        return listOf(
          field.listKind === 'message' ? this.messageType(field.message) : field.listKind === 'enum' ? INT : scalarType(field.scalar),
        )
      case 'map':
        return mapOf(
          scalarType(field.mapKey),
          field.mapKind === 'message' ? this.messageType(field.message) : field.mapKind === 'enum' ? INT : scalarType(field.scalar),
        )
      case 'message':
        return this.messageType(field.message)
      case 'enum':
        return field.enum.typeName === 'google.protobuf.NullValue' ? DYN : INT
      default:
        return scalarType(field.scalar)
    }
  }

  construct(desc: DescMessage, fields: ReadonlyMap<string, CelValue>): CelValue {
    const message = reflect(desc, create(desc))
    for (const [name, value] of fields) {
      const field = desc.fields.find(candidate => candidate.name === name)!
      this.#set(message, field, value)
    }
    return this.fromMessage(message)
  }

  #set(message: ReflectMessage, field: DescField, value: CelValue): void {
    if (field.fieldKind === 'list') {
      if (!(value instanceof CelList)) throw new EvaluationError('unsupported field type')
      const list = message.get(field) as ReflectList
      for (const element of value) {
        list.add(field.listKind === 'message' ? this.toMessage(field.message, element) : this.#toScalar(field, element))
      }
      return
    }
    if (field.fieldKind === 'map') {
      if (!(value instanceof CelMap)) throw new EvaluationError('unsupported field type')
      const map = message.get(field) as ReflectMap
      for (const key of value.keys()) {
        const entry = value.get(key)!
        map.set(
          scalarFrom(field.mapKey, key) as never,
          field.mapKind === 'message' ? this.toMessage(field.message, entry) : this.#toScalar(field, entry),
        )
      }
      return
    }
    if (field.fieldKind === 'message') {
      const isNullable = field.message.typeName !== 'google.protobuf.Value' && field.message.typeName !== 'google.protobuf.Any'
      if (value === null && isNullable) {
        if (['google.protobuf.Struct', 'google.protobuf.ListValue'].includes(field.message.typeName)) {
          throw new EvaluationError('unsupported field type')
        }
        return
      }
      message.set(field, this.toMessage(field.message, value))
      return
    }
    if (value === null && !(field.fieldKind === 'enum' && field.enum.typeName === 'google.protobuf.NullValue')) {
      throw new EvaluationError('unsupported field type')
    }
    message.set(field, this.#toScalar(field, value))
  }

  #toScalar(field: DescField, value: CelValue): never {
    if (
      field.fieldKind === 'enum' ||
      (field.fieldKind === 'list' && field.listKind === 'enum') ||
      (field.fieldKind === 'map' && field.mapKind === 'enum')
    ) {
      if (value === null) return 0 as never // NullValue
      if (typeof value !== 'bigint') throw new EvaluationError('unsupported field type')
      return int32(value) as never
    }
    return scalarFrom((field as { scalar: ScalarType }).scalar, value) as never
  }

  toMessage(desc: DescMessage, value: CelValue): ReflectMessage {
    const name = desc.typeName.startsWith('google.protobuf.') ? desc.typeName.slice('google.protobuf.'.length) : ''
    if (WRAPPERS[name] !== undefined) {
      const message = reflect(desc, create(desc))
      const field = desc.fields[0]!
      message.set(field, scalarFrom((field as { scalar: ScalarType }).scalar, value) as never)
      return message
    }
    const of = <D extends DescMessage>(schema: D, message: MessageShape<D>) => reflect(schema, message)
    switch (name) {
      case 'Any':
        return of(AnySchema, this.toAny(value))
      case 'Value':
        return of(ValueSchema, this.toValue(value))
      case 'Struct': {
        if (!(value instanceof CelMap)) throw new EvaluationError('unsupported field type')
        return of(StructSchema, this.toStruct(value))
      }
      case 'ListValue': {
        if (!(value instanceof CelList)) throw new EvaluationError('unsupported field type')
        return of(ListValueSchema, create(ListValueSchema, { values: [...value].map(element => this.toValue(element)) }))
      }
      case 'Timestamp': {
        if (!(value instanceof CelTimestamp)) throw new EvaluationError('unsupported field type')
        const nanos = ((value.nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
        return of(TimestampSchema, create(TimestampSchema, { seconds: (value.nanoseconds - nanos) / 1_000_000_000n, nanos: Number(nanos) }))
      }
      case 'Duration': {
        if (!(value instanceof CelDuration)) throw new EvaluationError('unsupported field type')
        return of(
          DurationSchema,
          create(DurationSchema, { seconds: value.nanoseconds / 1_000_000_000n, nanos: Number(value.nanoseconds % 1_000_000_000n) }),
        )
      }
    }
    if (!(value instanceof ProtobufObject) || value.message.desc.typeName !== desc.typeName)
      throw new EvaluationError('unsupported field type')
    return value.message
  }

  toStruct(map: CelMap): MessageShape<typeof StructSchema> {
    const fields: Record<string, Value> = {}
    for (const key of map.keys()) {
      if (typeof key !== 'string') throw new EvaluationError('bad key type')
      fields[key] = this.toValue(map.get(key)!)
    }
    return create(StructSchema, { fields })
  }

  toValue(value: CelValue): Value {
    if (value === null) return create(ValueSchema, { kind: { case: 'nullValue', value: NullValue.NULL_VALUE } })
    if (typeof value === 'boolean') return create(ValueSchema, { kind: { case: 'boolValue', value } })
    if (typeof value === 'string') return create(ValueSchema, { kind: { case: 'stringValue', value } })
    if (typeof value === 'number') return create(ValueSchema, { kind: { case: 'numberValue', value } })
    if (typeof value === 'bigint' || value instanceof CelUint) {
      const integer = typeof value === 'bigint' ? value : value.value
      const isExact = integer >= -(2n ** 53n - 1n) && integer <= 2n ** 53n - 1n
      return create(ValueSchema, {
        kind: isExact ? { case: 'numberValue', value: Number(integer) } : { case: 'stringValue', value: String(integer) },
      })
    }
    if (value instanceof Uint8Array) {
      return create(ValueSchema, { kind: { case: 'stringValue', value: Buffer.from(value).toString('base64') } })
    }
    if (value instanceof CelList) {
      const values = [...value].map(element => this.toValue(element))
      return create(ValueSchema, { kind: { case: 'listValue', value: create(ListValueSchema, { values }) } })
    }
    if (value instanceof CelMap) return create(ValueSchema, { kind: { case: 'structValue', value: this.toStruct(value) } })
    if (value instanceof CelTimestamp || value instanceof CelDuration) {
      return create(ValueSchema, { kind: { case: 'stringValue', value: jsonTime(value) } })
    }
    if (value instanceof ProtobufObject) {
      const { typeName } = value.message.desc
      if (typeName === 'google.protobuf.Empty') return create(ValueSchema, { kind: { case: 'structValue', value: create(StructSchema) } })
      if (typeName === 'google.protobuf.FieldMask') {
        const paths = (value.message.message as unknown as { paths: string[] }).paths
        const camel = (path: string) => path.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
        return create(ValueSchema, { kind: { case: 'stringValue', value: paths.map(camel).join(',') } })
      }
    }
    throw new EvaluationError('unsupported type conversion')
  }

  toAny(value: CelValue): Any {
    const message = this.#anyMessage(value)
    if (message.desc.typeName === 'google.protobuf.Any') return message.message as Any
    return create(AnySchema, {
      typeUrl: `type.googleapis.com/${message.desc.typeName}`,
      value: toBinary(message.desc, message.message),
    })
  }

  #anyMessage(value: CelValue): ReflectMessage {
    if (value instanceof ProtobufObject) return value.message
    const wrap = (name: string) => this.toMessage(this.registry.getMessage(`google.protobuf.${name}`)!, value)
    if (typeof value === 'boolean') return wrap('BoolValue')
    if (typeof value === 'string') return wrap('StringValue')
    if (typeof value === 'number') return wrap('DoubleValue')
    if (typeof value === 'bigint') return wrap('Int64Value')
    if (value instanceof CelUint) return wrap('UInt64Value')
    if (value instanceof Uint8Array) return wrap('BytesValue')
    if (value instanceof CelTimestamp) return wrap('Timestamp')
    if (value instanceof CelDuration) return wrap('Duration')
    if (value instanceof CelList) return wrap('ListValue')
    if (value instanceof CelMap) return wrap('Struct')
    return wrap('Value')
  }

  fromMessage(message: ReflectMessage): CelValue {
    const { desc } = message
    const name = desc.typeName.startsWith('google.protobuf.') ? desc.typeName.slice('google.protobuf.'.length) : ''
    if (WRAPPERS[name] !== undefined) {
      const field = desc.fields[0]! as DescField & { scalar: ScalarType }
      return toCel(field.scalar, message.get(field))
    }
    switch (name) {
      case 'Any': {
        const any = message.message as Any
        if (any.typeUrl === '') throw new EvaluationError('conversion error: got empty Any')
        return this.fromAny(any)
      }
      case 'Value':
        return this.fromValue(message.message as Value)
      case 'Struct': {
        const { fields } = message.message as MessageShape<typeof StructSchema>
        return new EntryMap(Object.entries(fields).map(([key, value]) => [key, this.fromValue(value)]))
      }
      case 'ListValue':
        return new ArrayList((message.message as MessageShape<typeof ListValueSchema>).values.map(value => this.fromValue(value)))
      case 'Timestamp': {
        const { seconds, nanos } = message.message as MessageShape<typeof TimestampSchema>
        return new CelTimestamp(seconds * 1_000_000_000n + BigInt(nanos))
      }
      case 'Duration': {
        const { seconds, nanos } = message.message as MessageShape<typeof DurationSchema>
        return new CelDuration(seconds * 1_000_000_000n + BigInt(nanos))
      }
      default:
        return new ProtobufObject(this, message)
    }
  }

  fromAny(any: Any): CelValue {
    const typeName = any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1)
    const desc = this.registry.getMessage(typeName)
    if (desc === undefined) throw new EvaluationError(`unknown type ${typeName}`)
    return this.fromMessage(reflect(desc, fromBinary(desc, any.value) as Message))
  }

  fromValue(value: Value): CelValue {
    switch (value.kind.case) {
      case 'boolValue':
      case 'numberValue':
      case 'stringValue':
        return value.kind.value
      case 'listValue':
        return new ArrayList(value.kind.value.values.map(element => this.fromValue(element)))
      case 'structValue':
        return new EntryMap(Object.entries(value.kind.value.fields).map(([key, entry]) => [key, this.fromValue(entry)]))
      default:
        return null
    }
  }
}

export class ProtobufObject extends CelObject {
  readonly message: ReflectMessage
  readonly #types: ProtobufTypes
  constructor(types: ProtobufTypes, message: ReflectMessage) {
    super()
    this.#types = types
    this.message = message
  }
  get type(): CelType {
    return this.#types.namedType(this.message.desc)
  }
  get(name: string): CelValue | undefined {
    const field = this.#field(name)
    if (field === undefined) return undefined
    const { message } = this
    switch (field.fieldKind) {
      case 'list': {
        const elements = [...(message.get(field) as ReflectList)]
        return new ArrayList(elements.map(element => (field.listKind === 'message' ? this.#types.fromMessage(element as ReflectMessage) : field.listKind === 'enum' ? BigInt(element as number) : toCel(field.scalar, element)))) // biome-ignore format: one thought
      }
      case 'map': {
        const entries = [...(message.get(field) as ReflectMap)]
        return new EntryMap(
          entries.map(([key, value]) => [
            toCel(field.mapKey, key),
            field.mapKind === 'message' ? this.#types.fromMessage(value as ReflectMessage) : field.mapKind === 'enum' ? BigInt(value as number) : toCel(field.scalar, value),
          ]),
        ) // biome-ignore format: one thought
      }
      case 'message': {
        if (!message.isSet(field)) {
          const type = this.#types.messageType(field.message)
          if (type.kind === 'wrapper' || field.message.typeName === 'google.protobuf.Value' || type.kind === 'any') return null
          return this.#types.fromMessage(reflect(field.message, create(field.message) as Message))
        }
        return this.#types.fromMessage(message.get(field) as ReflectMessage)
      }
      case 'enum':
        return field.enum.typeName === 'google.protobuf.NullValue' ? null : BigInt(message.get(field) as number)
      default:
        return toCel(field.scalar, message.get(field))
    }
  }
  has(name: string): boolean | undefined {
    const field = this.#field(name)
    return field === undefined ? undefined : this.message.isSet(field)
  }
  equals(other: CelObject): boolean {
    if (!(other instanceof ProtobufObject) || other.message.desc.typeName !== this.message.desc.typeName) return false
    return equals(this.message.desc, this.message.message, other.message.message, {
      registry: this.#types.registry,
      unpackAny: true,
      unknown: true,
      extensions: true,
    })
  }
  #field(name: string): DescField | undefined {
    return this.message.desc.fields.find(field => field.name === name)
  }
}

function scalarType(scalar: ScalarType): CelType {
  switch (scalar) {
    case ScalarType.BOOL:
      return BOOL
    case ScalarType.STRING:
      return STRING
    case ScalarType.BYTES:
      return BYTES
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return DOUBLE
    case ScalarType.UINT32:
    case ScalarType.UINT64:
    case ScalarType.FIXED32:
    case ScalarType.FIXED64:
      return UINT
    default:
      return INT
  }
}

function toCel(scalar: ScalarType, value: unknown): CelValue {
  switch (scalarType(scalar).kind) {
    case 'int':
      return BigInt(value as number | bigint)
    case 'uint':
      return new CelUint(BigInt(value as number | bigint))
    default:
      return value as CelValue
  }
}

function int32(value: bigint): number {
  if (BigInt.asIntN(32, value) !== value) throw new EvaluationError('integer overflow')
  return Number(value)
}

function scalarFrom(scalar: ScalarType, value: CelValue): unknown {
  const type = scalarType(scalar)
  const is32 = [ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32, ScalarType.UINT32, ScalarType.FIXED32].includes(scalar)
  if (type.kind === 'int' && typeof value === 'bigint') return is32 ? int32(value) : value
  if (type.kind === 'uint' && value instanceof CelUint) {
    if (!is32) return value.value
    if (BigInt.asUintN(32, value.value) !== value.value) throw new EvaluationError('unsigned integer overflow')
    return Number(value.value)
  }
  if (type.kind === 'double' && typeof value === 'number') return scalar === ScalarType.FLOAT ? Math.fround(value) : value
  if (type.kind === 'bool' && typeof value === 'boolean') return value
  if (type.kind === 'string' && typeof value === 'string') return value
  if (type.kind === 'bytes' && value instanceof Uint8Array) return value
  throw new EvaluationError('unsupported field type')
}

function jsonTime(value: CelTimestamp | CelDuration): string {
  if (value instanceof CelDuration) {
    const seconds = value.nanoseconds / 1_000_000_000n
    const nanos = value.nanoseconds % 1_000_000_000n
    return nanos === 0n
      ? `${seconds}s`
      : `${seconds}.${String(nanos < 0n ? -nanos : nanos)
          .padStart(9, '0')
          .replace(/(000)+$/, '')}s`
  }
  const nanos = ((value.nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const date = new Date(Number((value.nanoseconds - nanos) / 1_000_000n)).toISOString().replace(/\.\d+Z$/, '')
  return nanos === 0n
    ? `${date}Z`
    : `${date}.${String(nanos)
        .padStart(9, '0')
        .replace(/(000)+$/, '')}Z`
}
