import { atomOf } from '#machinery/apply/atom.ts'
import { pathText } from '#machinery/apply/steps.ts'
import { typedErrors, typedErrorText } from '#machinery/apply/typed-errors.ts'
import { merge } from '#machinery/apply/typed-values.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'
import type { AnySchema } from '#machinery/schema/schema.ts'
import { MutationError } from './compiled-mutating-policy.ts'

/**
 * An object with what an apply configuration says put over it, without anybody owning it. Lists, maps and objects that are atomic may not be
 * named: whoever sets one field of them would take away all others. Throws a {@link MutationError}.
 */
export function appliedConfiguration(object: ApiObject, configuration: JsonObject, kind: AnyKind, subresource: string): JsonObject {
  const schema: AnySchema | undefined = subresource === 'scale' ? undefined : kind.schema
  const { apiVersion, kind: name } = object
  const patch = { ...configuration, apiVersion, kind: name }
  if (schema !== undefined) {
    const errors = typedErrors(patch, schema)
    if (errors.length > 0) {
      throw new MutationError(`error applying patch: failed to convert patch object to typed object: ${typedErrorText(errors)}`)
    }
    const atomics: string[] = []
    findAtomics(patch, schema, [], atomics)
    if (atomics.length > 0) {
      throw new MutationError(
        `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
      )
    }
  }
  return merge(object as unknown as JsonObject, patch, schema) as JsonObject
}

function findAtomics(value: unknown, schema: AnySchema | undefined, path: readonly string[], found: string[]): void {
  const atom = atomOf(schema, value)
  if (atom.kind === 'list' && Array.isArray(value)) {
    if (atom.relationship === 'atomic') found.push(pathText(path))
    value.forEach((element, index) => {
      findAtomics(element, atom.element, [...path, `i:${index}`], found)
    })
  }
  if (atom.kind === 'map' && isJsonObject(value)) {
    if (atom.isAtomic) found.push(pathText(path))
    for (const [key, field] of Object.entries(value)) {
      const type = atom.at(key)
      if (type !== 'unknown') findAtomics(field, type, [...path, `f:${key}`], found)
    }
  }
}
