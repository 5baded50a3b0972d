import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import { type CelType, DYN, listOf, objectType, STRING } from '#base/languages/cel/types.ts'
import { CelObject, CelOptional, type CelValue } from '#base/languages/cel/values.ts'
import { toJson } from './to-json.ts'

/** An object that an expression makes: `Object{metadata: Object.metadata{labels: {…}}}`. */
export class ObjectValue extends CelObject {
  readonly type: CelType
  readonly fields: ReadonlyMap<string, CelValue>
  constructor(type: CelType, fields: ReadonlyMap<string, CelValue>) {
    super()
    this.type = type
    this.fields = fields
  }
  get(field: string): CelValue | undefined {
    return this.fields.get(field)
  }
  has(field: string): boolean {
    return this.fields.has(field)
  }
  equals(other: CelObject, equal: (a: CelValue, b: CelValue) => boolean): boolean {
    if (!(other instanceof ObjectValue) || other.type.name !== this.type.name || other.fields.size !== this.fields.size) return false
    for (const [name, value] of this.fields) {
      const theirs = other.fields.get(name)
      if (theirs === undefined || !equal(value, theirs)) return false
    }
    return true
  }
}

/** The type that an expression for an apply configuration must have. */
export const OBJECT_TYPE: CelType = dynamicType('Object')

const jsonPatchFields = { op: STRING, path: STRING, from: STRING, value: DYN }
const JSON_PATCH_TYPE: CelType = {
  ...objectType('JSONPatch', jsonPatchFields),
  construct: fields => new ObjectValue(JSON_PATCH_TYPE, fields),
}

/** The type that an expression for a JSON patch must have. */
export const JSON_PATCHES_TYPE: CelType = listOf(JSON_PATCH_TYPE)

/** The types that mutations may construct: `JSONPatch`, `Object`, and `Object.spec.template` for the object at that path. */
export function mutationType(name: string): CelType | undefined {
  if (name === 'JSONPatch') return JSON_PATCH_TYPE
  if (name === 'Object') return OBJECT_TYPE
  return name.startsWith('Object.') ? dynamicType(name) : undefined
}

/** Its fields are checked when the patch is applied. */
function dynamicType(name: string): CelType {
  const type: CelType = {
    ...objectType(name, { get: () => DYN, names: () => [] }),
    construct: fields => new ObjectValue(type, fields),
  }
  return type
}

/** The apply configuration that an `Object{…}` stands for. Throws where the type of an object does not say where it stands. */
export function applyConfigurationOf(object: ObjectValue): Record<string, unknown> {
  checkNames(object, 'Object')
  return toJson(object) as Record<string, unknown>
}

function checkNames(value: CelValue, path: string): void {
  if (value instanceof CelOptional) {
    if (value.value !== undefined) checkNames(value.value, path)
    return
  }
  if (!(value instanceof ObjectValue)) {
    if (typeof value === 'object' && value !== null && Symbol.iterator in value && !(value instanceof Uint8Array)) {
      for (const element of value) checkNames(element, path)
    }
    return
  }
  if (value.type.name !== path) {
    const why = `unexpected type name ${JSON.stringify(value.type.name)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`
    throw new EvaluationError(why)
  }
  for (const [name, field] of value.fields) checkNames(field, `${path}.${name}`)
}
