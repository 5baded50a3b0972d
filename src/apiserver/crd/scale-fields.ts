import { isJsonObject, valueAt } from '#machinery/patch/json-object.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'

const MAX_INT32 = 2147483647

/** What stands where the scale looks for replicas is a number that can be one, and for a selector a text. */
export function validateScaleField(object: unknown, path: string, type: 'integer' | 'string', errors: FieldErrors): void {
  const at = errors.at(path)
  const value = fieldAt(object, path, at)
  if (value === undefined) return
  if (type === 'string') {
    if (typeof value !== 'string') at.invalid('', accessorError(path, value, 'string'))
    return
  }
  if ((typeof value !== 'number' && typeof value !== 'bigint') || (typeof value === 'number' && !Number.isInteger(value))) {
    at.invalid(0, accessorError(path, value, 'int64'))
  } else if (value < 0) at.invalid(value, 'should be a non-negative integer')
  else if (value > MAX_INT32) at.invalid(value, `should be less than or equal to ${MAX_INT32}`)
}

function fieldAt(object: unknown, path: string, errors: FieldErrors): unknown {
  let value = object
  const walked: string[] = []
  for (const step of path.split('.').filter(part => part !== '')) {
    if (value === undefined || value === null) return undefined
    if (!isJsonObject(value)) {
      errors.invalid(0, accessorError(`.${walked.join('.')}`, value, 'map[string]interface {}'))
      return undefined
    }
    value = valueAt(value, step)
    walked.push(step)
  }
  return value
}

function accessorError(path: string, value: unknown, expected: string): string {
  return `${path} accessor error: ${String(value)} is of the type ${goTypeOf(value)}, expected ${expected}`
}

function goTypeOf(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'bigint' ? 'int64' : 'string'
}
