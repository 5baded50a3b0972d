import { isJsonObject } from '../patch/json-object.ts'
import { goText } from '../patch/strategic-directives.ts'
import type { AnySchema } from '../schema/schema.ts'
import { quote } from '../status/go-text.ts'
import { atomOf, ElementError, type ListAtom, type MapAtom, type ScalarAtom, stepOf } from './atom.ts'
import { pathText } from './steps.ts'

/** What keeps `value` from being applied under `schema`, in upstream's words: unknown fields, wrong types, elements without keys. */
export function typedErrors(value: unknown, schema: AnySchema): readonly string[] {
  const errors: string[] = []
  check(value, schema, '', errors)
  return errors
}

/** One sentence as it is, several as a list. */
export function typedErrorText(errors: readonly string[]): string {
  return errors.length === 1 ? errors[0]! : ['errors:', ...errors.map(error => `  ${error}`)].join('\n')
}

function check(value: unknown, schema: AnySchema | undefined, path: string, errors: string[]): void {
  if (value === null || value === undefined) return
  const atom = atomOf(schema, value)
  const wrong = atom.kind === 'scalar' ? scalarError(value, atom) : undefined
  if (wrong) errors.push(`${path}: ${wrong}`)
  else if (atom.kind === 'list') checkList(value, atom, path, errors)
  else if (atom.kind === 'map') checkMap(value, atom, path, errors)
}

function checkList(value: unknown, atom: ListAtom, path: string, errors: string[]): void {
  if (!Array.isArray(value)) {
    errors.push(`${path}: expected list, got ${pointerText(value)}`)
    return
  }
  const seen = new Set<string>()
  value.forEach((item: unknown, index) => {
    try {
      if (atom.relationship === 'atomic') {
        check(item, atom.element, `${path}[${index}]`, errors)
        return
      }
      const step = stepOf(atom, item)
      if (seen.has(step)) errors.push(`${path}: duplicate entries for key ${pathText([step])}`)
      seen.add(step)
      check(item, atom.element, path + pathText([step]), errors)
    } catch (error) {
      if (!(error instanceof ElementError)) throw error
      errors.push(`${path}: element ${index}: ${error.message}`)
    }
  })
}

function checkMap(value: unknown, atom: MapAtom, path: string, errors: string[]): void {
  if (!isJsonObject(value)) {
    errors.push(`${path}: expected map, got ${pointerText(value)}`)
    return
  }
  for (const key of Object.keys(value).sort()) {
    const schema = atom.at(key)
    if (schema === 'unknown') errors.push(`${path}.${key}: field not declared in schema`)
    else check(value[key], schema, `${path}.${key}`, errors)
  }
}

function scalarError(value: unknown, { scalar }: ScalarAtom): string | undefined {
  switch (scalar) {
    case 'numeric':
      return typeof value === 'number' || typeof value === 'bigint' ? undefined : `expected numeric (int or float), got ${goTypeOf(value)}`
    case 'string':
      return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'boolean':
      return typeof value === 'boolean' ? undefined : `expected boolean, got ${pointerText(value)}`
    case 'untyped':
      return typeof value === 'object' ? `expected any scalar, got ${pointerText(value)}` : undefined
  }
}

/** Go's `%v` of a pointer to a value. */
function pointerText(value: unknown): string {
  return `&{${goText(value)}}`
}

/** Go's `%T`. */
function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  return typeof value === 'object' ? 'map[string]interface {}' : typeof value === 'boolean' ? 'bool' : 'string'
}

/** Go's `%#v`. */
function goSyntax(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (value === null || value === undefined) return 'interface {}(nil)'
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (!isJsonObject(value)) return String(value)
  const entries = Object.keys(value).sort()
  return `map[string]interface {}{${entries.map(key => `${quote(key)}:${goSyntax(value[key])}`).join(', ')}}`
}
