import { encodeYaml } from '../codec/yaml/encode-yaml.ts'
import { isJsonObject, type JsonObject } from '../patch/json-object.ts'

/** Methods of a path in both versions. */
export const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

/** An object as gnostic's lists of names and values, in the order of the names. */
export function named(object: unknown, convert: (value: unknown) => unknown): readonly JsonObject[] {
  if (!isJsonObject(object)) return []
  return Object.keys(object)
    .sort()
    .map(name => ({ name, value: convert(object[name]) }))
}

/** What begins with `x-`, each as YAML. */
export function extensionsOf(object: JsonObject): readonly JsonObject[] {
  return Object.keys(object)
    .filter(key => key.startsWith('x-'))
    .sort()
    .map(name => ({ name, value: anyOf(object[name]) }))
}

/** Any value, as YAML. */
export function anyOf(value: unknown): JsonObject {
  return { yaml: encodeYaml(value) }
}
