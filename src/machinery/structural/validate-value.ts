import { isJsonObject, isSameJson, jsonTypeOf, valueAt } from '../patch/json-object.ts'
import { type FieldError, supportedValues } from '../status/field-error.ts'
import { goJson, quote } from '../status/go-text.ts'
import { correlatedItem } from './correlate.ts'
import { formatOf } from './formats.ts'
import { INT_OR_STRING, isMap, itemsOf, type JsonSchema, propertyOf, valuesOf } from './json-schema.ts'
import { patternOf } from './pattern.ts'

/**
 * What is wrong with `value` under its schema, in upstream's words (kube-openapi). `path` is where it stands (`spec`; '' for a whole object).
 * With `old`, what was there before: what is wrong with a part that has not changed is let be (KEP-4008, validation ratcheting).
 */
export function validateValue(value: unknown, schema: JsonSchema, path: string, old?: { readonly value: unknown }): readonly FieldError[] {
  return check(value, schema, path, old).errors
}

interface Outcome {
  readonly errors: FieldError[]
  /** How many checks applied: of alternatives that all fail, the one that fits best is told. */
  matches: number
}

type Old = { readonly value: unknown } | undefined

function check(value: unknown, schema: JsonSchema, path: string, old: Old): Outcome {
  const outcome: Outcome = { errors: [], matches: 0 }
  if (value === null) {
    const type = typeText(schema)
    if (type !== '' && !schema.nullable) outcome.errors.push(wrongType(path, type, 'null'))
    checkEnum(value, schema, path, outcome)
  } else {
    checkType(value, schema, path, outcome)
    checkJunctors(value, schema, path, outcome)
    if (typeof value === 'string') checkString(value, schema, path, outcome)
    else if (typeof value === 'number' || typeof value === 'bigint') checkNumber(value, schema, path, outcome)
    else if (Array.isArray(value)) checkList(value, schema, path, old, outcome)
    checkEnum(value, schema, path, outcome)
    if (isJsonObject(value)) checkObject(value, schema, path, old, outcome)
  }
  if (outcome.errors.length > 0 && old && isSameJson(old.value, value)) return { errors: [], matches: outcome.matches }
  return outcome
}

function merge(into: Outcome, from: Outcome): void {
  into.errors.push(...from.errors)
  into.matches += from.matches
}

function typeText(schema: JsonSchema): string {
  return schema[INT_OR_STRING] ? 'integer,string' : (schema.type ?? '')
}

function checkType(value: unknown, schema: JsonSchema, path: string, outcome: Outcome): void {
  const expected = typeText(schema)
  if (expected === '') return
  outcome.matches++
  const actual = typeOf(value)
  const allowed = expected.split(',')
  if (allowed.includes(actual) || (actual === 'integer' && allowed.includes('number'))) return
  outcome.errors.push(wrongType(path, expected, actual))
}

function typeOf(value: unknown): string {
  if (typeof value === 'bigint') return 'integer'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  const type = jsonTypeOf(value)
  return type === 'bool' ? 'boolean' : type
}

function wrongType(path: string, expected: string, actual: string): FieldError {
  return {
    type: 'FieldValueTypeInvalid',
    field: path,
    badValue: actual,
    detail: `${path} in body must be of type ${expected}: ${quote(actual)}`,
  }
}

/** Alternatives are not let be when they have not changed: the value around them may be. */
function checkJunctors(value: unknown, schema: JsonSchema, path: string, outcome: Outcome): void {
  outcome.matches++
  if (schema.anyOf?.length) checkAnyOf(schema.anyOf, value, path, outcome)
  if (schema.oneOf?.length) checkOneOf(schema.oneOf, value, path, outcome)
  if (schema.allOf?.length) {
    const results = schema.allOf.map(part => check(value, part, path, undefined))
    const valid = results.filter(({ errors }) => errors.length === 0).length
    for (const result of results) merge(outcome, result)
    if (valid < results.length) {
      outcome.errors.push(composite(`${quote(path)} must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`))
    }
  }
  if (schema.not && check(value, schema.not, path, undefined).errors.length === 0) {
    outcome.errors.push(composite(`${quote(path)} must not validate the schema (not)`))
  }
}

function checkAnyOf(parts: readonly JsonSchema[], value: unknown, path: string, outcome: Outcome): void {
  let best: Outcome | undefined
  for (const part of parts) {
    const result = check(value, part, path, undefined)
    if (result.errors.length === 0) return
    if (!best || result.matches > best.matches) best = result
  }
  outcome.errors.push(composite(`${quote(path)} must validate at least one schema (anyOf)`))
  if (best) merge(outcome, best)
}

function checkOneOf(parts: readonly JsonSchema[], value: unknown, path: string, outcome: Outcome): void {
  let valid = 0
  let best: Outcome | undefined
  for (const part of parts) {
    const result = check(value, part, path, undefined)
    if (result.errors.length === 0) {
      valid++
      best = undefined
    } else if (valid === 0 && (!best || result.matches > best.matches)) best = result
  }
  if (valid === 1) return
  const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
  outcome.errors.push(composite(`${quote(path)} must validate one and only one schema (oneOf). ${found}`))
  if (best) merge(outcome, best)
}

/** What is wrong with alternatives has no field of its own. */
function composite(detail: string): FieldError {
  return { type: 'FieldValueInvalid', field: '<nil>', badValue: '', detail }
}

function invalid(path: string, badValue: unknown, complaint: string): FieldError {
  return { type: 'FieldValueInvalid', field: path, badValue, detail: `${path} in body ${complaint}` }
}

function checkString(value: string, schema: JsonSchema, path: string, outcome: Outcome): void {
  const { maxLength, minLength, pattern } = schema
  outcome.matches++
  if (maxLength !== undefined || minLength !== undefined) {
    const length = lengthOf(value)
    if (maxLength !== undefined && length > maxLength) {
      const detail = `may not be more than ${maxLength} characters`
      outcome.errors.push({ type: 'FieldValueTooLong', field: path, badValue: '', detail })
    } else if (minLength !== undefined && length < minLength) {
      outcome.errors.push(invalid(path, value, `should be at least ${minLength} chars long`))
    }
  }
  if (pattern && !patternOf(pattern).matcher(value).find()) outcome.errors.push(invalid(path, value, `should match '${pattern}'`))
  const isFormatted = schema.format ? formatOf(schema.format) : undefined
  if (!isFormatted) return
  outcome.matches++
  if (!isFormatted(value)) {
    const detail = `${path} in body must be of type ${schema.format}: ${quote(value)}`
    outcome.errors.push({ type: 'FieldValueTypeInvalid', field: path, badValue: value, detail })
  }
}

/** Characters, not UTF-16 units. */
function lengthOf(text: string): number {
  let length = 0
  for (const _ of text) length++
  return length
}

function checkNumber(value: number | bigint, schema: JsonSchema, path: string, outcome: Outcome): void {
  const { maximum, exclusiveMaximum, minimum, exclusiveMinimum, multipleOf } = schema
  outcome.matches++
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) {
    outcome.errors.push(invalid(path, value, `should be a multiple of ${numberText(multipleOf)}`))
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    outcome.errors.push(invalid(path, value, `should be less than ${exclusiveMaximum ? '' : 'or equal to '}${numberText(maximum)}`))
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    outcome.errors.push(invalid(path, value, `should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${numberText(minimum)}`))
  }
}

function isMultiple(value: number | bigint, factor: number): boolean {
  if (typeof value === 'bigint' && Number.isInteger(factor)) return factor !== 0 && value % BigInt(factor) === 0n
  const quotient = Number(value) / factor
  return Number.isInteger(Number.isInteger(factor) && Number.isInteger(value) ? quotient : Number(quotient.toPrecision(15)))
}

/** Go writes at least two digits of an exponent. */
function numberText(value: number): string {
  return String(value).replace(/e([+-])(\d)$/, 'e$10$2')
}

function checkEnum(value: unknown, schema: JsonSchema, path: string, outcome: Outcome): void {
  if (value !== null) outcome.matches++
  if (!schema.enum?.length || schema.enum.some(allowed => allowed !== null && isSameJson(allowed, value))) return
  const texts = schema.enum.map(allowed => (typeof allowed === 'string' ? allowed : goJson(allowed)))
  outcome.errors.push({ type: 'FieldValueNotSupported', field: path, badValue: value, detail: supportedValues(texts) })
}

function checkList(list: readonly unknown[], schema: JsonSchema, path: string, old: Old, outcome: Outcome): void {
  const { maxItems, minItems } = schema
  outcome.matches++
  const items = itemsOf(schema)
  if (items) {
    const find = correlatedItem(schema, old?.value)
    for (let index = 0; index < list.length; index++) {
      const before = find(list[index])
      merge(outcome, check(list[index], items, `${path}[${index}]`, before === undefined ? undefined : { value: before }))
    }
  }
  if (minItems !== undefined && list.length < minItems) {
    outcome.errors.push(invalid(path, list.length, `should have at least ${minItems} items`))
  }
  if (maxItems !== undefined && list.length > maxItems) outcome.errors.push(tooMany(path, list.length, maxItems))
}

function tooMany(path: string, actual: number, max: number): FieldError {
  return {
    type: 'FieldValueTooMany',
    field: path,
    badValue: actual,
    detail: `must have at most ${max} ${Number(max) === 1 ? 'item' : 'items'}`,
  }
}

function checkObject(object: Readonly<Record<string, unknown>>, schema: JsonSchema, path: string, old: Old, outcome: Outcome): void {
  const { maxProperties, minProperties, required } = schema
  outcome.matches++
  if (maxProperties !== undefined || minProperties !== undefined) {
    const count = Object.keys(object).length
    if (minProperties !== undefined && count < minProperties) {
      outcome.errors.push(invalid(path, count, `should have at least ${minProperties} properties`))
      return
    }
    if (maxProperties !== undefined && count > maxProperties) {
      outcome.errors.push(tooMany(path, count, maxProperties))
      return
    }
  }
  const before = isJsonObject(old?.value) ? old.value : undefined
  const isOpen = isMap(schema)
  for (const key of Object.keys(object)) {
    const part = propertyOf(schema, key) ?? (isOpen ? valuesOf(schema) : undefined)
    if (!part) continue
    const was = before && Object.hasOwn(before, key) ? { value: before[key] } : undefined
    merge(outcome, check(object[key], part, path === '' ? key : `${path}.${key}`, was))
  }
  for (const key of required ?? []) {
    if (valueAt(object, key) !== undefined) continue
    outcome.errors.push({ type: 'FieldValueRequired', field: path === '' ? key : `${path}.${key}`, badValue: '', detail: '' })
  }
}
