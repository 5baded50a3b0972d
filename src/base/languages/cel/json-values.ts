import { parseDuration, parseTimestamp } from './time.ts'
import { type CelType, DYN } from './types.ts'
import { CelList, CelMap, CelObject, CelUint, type CelValue } from './values.ts'

/** A value of JSON without a schema, read in place: whole numbers are `int`, others `double`; objects are maps. */
export function jsonValue(json: unknown): CelValue {
  switch (typeof json) {
    case 'string':
    case 'boolean':
    case 'bigint':
      return json
    case 'number':
      return Number.isInteger(json) && Math.abs(json) < 2 ** 63 ? BigInt(json) : json
    case 'object':
      if (json === null) return null
      if (Array.isArray(json)) return new JsonList(json)
      if (json instanceof Uint8Array) return json
      return new JsonMap(json as Readonly<Record<string, unknown>>)
    default:
      return null
  }
}

/** How an element of JSON becomes a value. */
export type Adapt = (json: unknown) => CelValue

/** An array of JSON, read in place. */
export class JsonList extends CelList {
  readonly json: readonly unknown[]
  override readonly keyedBy: readonly string[] | undefined
  readonly #adapt: Adapt
  constructor(json: readonly unknown[], adapt: Adapt = jsonValue, keyedBy?: readonly string[]) {
    super()
    this.json = json
    this.keyedBy = keyedBy
    this.#adapt = adapt
  }
  get size(): number {
    return this.json.length
  }
  at(index: number): CelValue {
    return this.#adapt(this.json[index])
  }
}

/** An object of JSON, read in place as a map. */
export class JsonMap extends CelMap {
  readonly json: Readonly<Record<string, unknown>>
  readonly #adapt: Adapt
  #size: number | undefined
  constructor(json: Readonly<Record<string, unknown>>, adapt: Adapt = jsonValue) {
    super()
    this.json = json
    this.#adapt = adapt
  }
  get size(): number {
    this.#size ??= this.keys().length
    return this.#size
  }
  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.json, key)) return undefined
    const value = this.json[key]
    return value === undefined ? undefined : this.#adapt(value)
  }
  keys(): readonly string[] {
    return Object.keys(this.json).filter(key => this.json[key] !== undefined)
  }
}

/** An object of JSON with a declared type, read in place. What is absent has no value: `has()` is false and reading it is an error. */
export class JsonObject extends CelObject {
  readonly type: CelType
  readonly json: Readonly<Record<string, unknown>>
  readonly #adapt: (json: unknown, type: CelType) => CelValue
  constructor(type: CelType, json: Readonly<Record<string, unknown>>, adapt: (json: unknown, type: CelType) => CelValue = typedJsonValue) {
    super()
    this.type = type
    this.json = json
    this.#adapt = adapt
  }
  get(field: string): CelValue | undefined {
    const { fields } = this.type
    const key = fields?.keyOf?.(field) ?? field
    if (!Object.hasOwn(this.json, key)) return undefined
    const value = this.json[key]
    return value === undefined ? undefined : this.#adapt(value, fields?.get(field) ?? DYN)
  }
  has(field: string): boolean {
    const key = this.type.fields?.keyOf?.(field) ?? field
    return Object.hasOwn(this.json, key) && this.json[key] !== undefined
  }
  equals(other: CelObject, equal: (a: CelValue, b: CelValue) => boolean): boolean {
    if (!(other instanceof JsonObject)) return false
    if (this.json === other.json) return true
    for (const field of this.type.fields?.names() ?? []) {
      const [mine, theirs] = [this.get(field), other.get(field)]
      if (mine === undefined || theirs === undefined ? mine !== theirs : !equal(mine, theirs)) return false
    }
    return true
  }
}

/** A value of JSON of a declared type: numbers, times and bytes become what the type says. */
export function typedJsonValue(json: unknown, type: CelType): CelValue {
  if (json === null || json === undefined) return null
  switch (type.kind) {
    case 'double':
      return typeof json === 'bigint' ? Number(json) : typeof json === 'number' ? json : jsonValue(json)
    case 'uint':
      return typeof json === 'number' || typeof json === 'bigint' ? new CelUint(BigInt(json)) : jsonValue(json)
    case 'wrapper':
      return typedJsonValue(json, type.parameters[0]!)
    case 'timestamp':
      return typeof json === 'string' ? parseTimestamp(/^\d{4}-\d\d-\d\d$/.test(json) ? `${json}T00:00:00Z` : json) : jsonValue(json)
    case 'duration':
      return typeof json === 'string' ? parseDuration(json) : jsonValue(json)
    case 'bytes':
      return typeof json === 'string' ? bytesOfBase64(json) : jsonValue(json)
    case 'list': {
      const [element] = type.parameters
      return Array.isArray(json) ? new JsonList(json, value => typedJsonValue(value, element!), type.keyedBy) : jsonValue(json)
    }
    case 'map': {
      const [, value] = type.parameters
      return isJsonObject(json) ? new JsonMap(json, entry => typedJsonValue(entry, value!)) : jsonValue(json)
    }
    case 'object':
      return isJsonObject(json) ? new JsonObject(type, json) : jsonValue(json)
    default:
      return jsonValue(json)
  }
}

/** What is no base64 has no bytes: whoever declared the type checks the format. */
function bytesOfBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), character => character.charCodeAt(0))
  } catch {
    return new Uint8Array()
  }
}

export function isJsonObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}
