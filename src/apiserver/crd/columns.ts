import type { CustomResourceColumnDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { ageColumn, nameColumn, since } from '#kinds/meta/v1/columns.ts'
import { type JsonPath, JsonPathError, jsonPath, jsonPathText } from '#machinery/json-path/json-path.ts'
import type { ApiObject, Column } from '#machinery/kind/kind.ts'
import { canonicalTime } from '#machinery/time/time.ts'

/** The columns of a version's tables: the name, and what the definition says; if that is nothing, the age. */
export function columnsOf(definitions: readonly CustomResourceColumnDefinition[] | undefined): readonly Column<ApiObject>[] {
  if (!definitions?.length) return [nameColumn, { ...ageColumn, type: 'date' }]
  return [nameColumn, ...definitions.map(columnOf)]
}

function columnOf(definition: CustomResourceColumnDefinition): Column<ApiObject> {
  const { name, type, format = '', description, priority = 0, jsonPath: path } = definition
  const find = pathOf(path)
  return {
    name,
    type: type as NonNullable<Column<ApiObject>['type']>,
    format,
    description: description || `Custom resource definition column (in JSONPath format): ${path}`,
    priority,
    of: (object, { now }) => cellOf(type, find(object)[0], now),
  }
}

/** A path that cannot be read was let in once: its column is empty. */
function pathOf(path: string): JsonPath {
  try {
    return jsonPath(path)
  } catch (error) {
    if (error instanceof JsonPathError) return () => []
    throw error
  }
}

/** The first value found, as far as it is of the column's type. */
function cellOf(type: string, value: unknown, now: number): unknown {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'string':
      return jsonPathText(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? value : null
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? ageOf(value, now) : null
    default:
      return null
  }
}

function ageOf(time: string, now: number): string {
  try {
    return since(canonicalTime(time), now)
  } catch {
    return '<invalid>'
  }
}
