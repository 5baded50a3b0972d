import type { CelValue } from './values.ts'

/** What a type is made of; `parameters` are the element of a list, key and value of a map, the type that a type names, and so on. */
export type CelKind =
  | 'any'
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'function'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'object'
  | 'opaque'
  | 'string'
  | 'timestamp'
  | 'type'
  | 'typeParam'
  | 'uint'
  | 'wrapper'

/** A type of CEL. Types are immutable; scalars are constants of this file, others come from its functions. */
export interface CelType {
  readonly kind: CelKind
  /** What `type(x)` says: `int`, `list`, `google.protobuf.Timestamp`, the name of an object type. */
  readonly name: string
  readonly parameters: readonly CelType[]
  /** Of an object: the types of its fields. */
  readonly fields?: FieldTypes
  /**
   * How long a value may get: bytes of a string, entries of a list or map (from `maxLength`, `maxItems`, `maxProperties`, or what fits in a
   * request). Undefined where that is unknown; only estimates of cost read it.
   */
  readonly maxSize?: number
  /** Of a list: that its elements are told apart by themselves (no keys) or by these fields, and their order says nothing. */
  readonly keyedBy?: readonly string[]
  /** Makes a value out of the fields that `name{…}` gives. Without it, the type cannot be constructed. */
  readonly construct?: (fields: ReadonlyMap<string, CelValue>) => CelValue
  /** The type of what `name{…}` makes, where that is another one. */
  readonly instance?: CelType
}

/** The fields of an object type. Asked when an expression is checked, so a type may refer to itself. */
export interface FieldTypes {
  /** The type of a field; undefined where the object has none of that name. */
  get(field: string): CelType | undefined
  /** Names of all fields. */
  names(): Iterable<string>
  /** What a field is called in JSON, where an expression cannot name it as it is: `__dot__`, `__namespace__`. */
  keyOf?(field: string): string
}

const scalar = (kind: CelKind, name: string = kind): CelType => ({ kind, name, parameters: [] })

export const BOOL = scalar('bool')
export const INT = scalar('int')
export const UINT = scalar('uint')
export const DOUBLE = scalar('double')
export const STRING = scalar('string')
export const BYTES = scalar('bytes')
export const NULL = scalar('null', 'null_type')
/** Checked when it is evaluated. */
export const DYN = scalar('dyn')
/** A `google.protobuf.Any`: dynamic. */
export const ANY = scalar('any', 'google.protobuf.Any')
export const TIMESTAMP = scalar('timestamp', 'google.protobuf.Timestamp')
export const DURATION = scalar('duration', 'google.protobuf.Duration')
/** The type of what has no type: reported once, and accepted everywhere else. */
export const ERROR = scalar('error', '!error!')
export const TYPE = scalar('type')

export function listOf(element: CelType, maxSize?: number): CelType {
  return { kind: 'list', name: 'list', parameters: [element], ...(maxSize === undefined ? {} : { maxSize }) }
}

export function mapOf(key: CelType, value: CelType, maxSize?: number): CelType {
  return { kind: 'map', name: 'map', parameters: [key, value], ...(maxSize === undefined ? {} : { maxSize }) }
}

/** A string, list or map that gets no longer than `maxSize`. */
export function sized(type: CelType, maxSize: number): CelType {
  return { ...type, maxSize }
}

export function typeOf(type: CelType): CelType {
  return { kind: 'type', name: 'type', parameters: [type] }
}

/** A type parameter of a function: `A` in `list(A)`. */
export function typeParam(name: string): CelType {
  return { kind: 'typeParam', name, parameters: [] }
}

export function optionalOf(type: CelType): CelType {
  return { kind: 'opaque', name: 'optional_type', parameters: [type] }
}

/** A type that only functions look into: `net.IP`, `kubernetes.Quantity`. */
export function opaque(name: string, ...parameters: CelType[]): CelType {
  return { kind: 'opaque', name, parameters }
}

/** A scalar that may be null. */
export function wrapperOf(type: CelType): CelType {
  return { kind: 'wrapper', name: type.name, parameters: [type] }
}

/** A function's type, as unification sees it. */
export function functionType(result: CelType, ...parameters: CelType[]): CelType {
  return { kind: 'function', name: 'function', parameters: [result, ...parameters] }
}

/** An object with the fields given; a function of them lets the type refer to itself. */
export function objectType(name: string, fields: Readonly<Record<string, CelType>> | FieldTypes): CelType {
  if (isFieldTypes(fields)) return { kind: 'object', name, parameters: [], fields }
  const types = new Map(Object.entries(fields))
  return { kind: 'object', name, parameters: [], fields: { get: field => types.get(field), names: () => types.keys() } }
}

function isFieldTypes(fields: Readonly<Record<string, CelType>> | FieldTypes): fields is FieldTypes {
  return typeof (fields as FieldTypes).get === 'function' && typeof (fields as FieldTypes).names === 'function'
}

export function isDyn(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'any'
}

export function isDynOrError(type: CelType): boolean {
  return isDyn(type) || type.kind === 'error'
}

export function isOptional(type: CelType): boolean {
  return type.kind === 'opaque' && type.name === 'optional_type'
}

/** What an optional holds; any other type is itself. */
export function unwrapOptional(type: CelType): CelType {
  return isOptional(type) ? type.parameters[0]! : type
}

export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || a.name !== b.name || a.parameters.length !== b.parameters.length) return false
  return a.parameters.every((parameter, i) => sameType(parameter, b.parameters[i]!))
}

/** As messages of the checker name a type: `list(int)`, `wrapper(string)`, `timestamp`. */
export function formatType(type: CelType): string {
  switch (type.kind) {
    case 'any':
    case 'duration':
    case 'null':
    case 'timestamp':
      return type.kind
    case 'wrapper':
      return `wrapper(${formatType(type.parameters[0]!)})`
    case 'function':
      return formatFunction(type.parameters[0], type.parameters.slice(1), false)
    default:
      return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(formatType).join(', ')})`
  }
}

/** A signature: `(int, string)`, and `string.(int)` for a member function. */
export function formatFunction(result: CelType | undefined, parameters: readonly CelType[], isMember: boolean): string {
  const [target, ...rest] = parameters
  const shown = isMember ? `${formatType(target!)}.(${rest.map(formatType).join(', ')})` : `(${parameters.map(formatType).join(', ')})`
  return result === undefined ? shown : `${shown} -> ${formatType(result)}`
}

/** As Kubernetes names a type in "must evaluate to …": `null_type`, `list(string)`. */
export function nameOfType(type: CelType): string {
  if (type.kind === 'wrapper') return `wrapper(${nameOfType(type.parameters[0]!)})`
  return type.parameters.length === 0 ? type.name : `${type.name}(${type.parameters.map(nameOfType).join(', ')})`
}
