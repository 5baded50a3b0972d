import type { CustomResourceDefinitionVersion } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { jsonPath } from '#machinery/json-path/json-path.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'

/** The fields of a version by which objects can be selected, beside name and namespace. */
export function selectableFieldsOf({
  selectableFields,
}: CustomResourceDefinitionVersion): Readonly<Record<string, (object: ApiObject) => string>> {
  const fields = (selectableFields ?? []).map(({ jsonPath: path }) => {
    const find = jsonPath(path)
    return [path.replace(/^\./, ''), (object: ApiObject) => textOf(find(object)[0])] as const
  })
  return Object.fromEntries(fields)
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : String(value)
}
