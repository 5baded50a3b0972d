import { describe, expect, it } from 'vitest'
import { textOf } from '../status/field-error.ts'
import { FieldErrors } from '../status/field-errors.ts'
import { fieldPath } from './field-path.ts'
import { formatOf } from './formats.ts'
import type { JsonSchema } from './json-schema.ts'
import { validateListTypes } from './list-types.ts'
import { shapeValue } from './shape-value.ts'
import { validateValue } from './validate-value.ts'

const shape = (value: unknown, schema: JsonSchema) => {
  const unknown: string[] = []
  const result = shapeValue(value, schema, '', { defaults: true, unknown, metadata: metadata => metadata })
  return { result, unknown }
}
const keep = 'x-kubernetes-preserve-unknown-fields' as const

describe('the form of a value', () => {
  const inner: JsonSchema = { type: 'object', properties: { a: { type: 'string' } } }

  it.each<[string, unknown, JsonSchema, unknown, string[]]>([
    ['drops what nobody knows', { a: '1', b: 2 }, inner, { a: '1' }, ['b']],
    ['keeps it where the schema says so', { a: '1', b: { c: 2 } }, { ...inner, [keep]: true }, { a: '1', b: { c: 2 } }, []],
    [
      'drops within what is known, also there',
      { x: { a: '1', b: 2 } },
      { [keep]: true, properties: { x: inner } },
      { x: { a: '1' } },
      ['x.b'],
    ],
    ['looks into lists', [{ a: '1', b: 2 }], { type: 'array', items: inner }, [{ a: '1' }], ['[0].b']],
    ['looks into maps', { k: { b: 2 } }, { type: 'object', additionalProperties: inner }, { k: {} }, ['k.b']],
    ['fills in defaults', {}, { properties: { a: { type: 'string', default: 'x' } } }, { a: 'x' }, []],
    ['fills in defaults of defaults', {}, { properties: { o: { default: {}, properties: { a: { default: 1 } } } } }, { o: { a: 1 } }, []],
    ['takes the default for a null that may not be', { a: null }, { properties: { a: { default: 'x' } } }, { a: 'x' }, []],
    ['drops a null that may not be', { a: null }, inner, {}, []],
    ['keeps a null that may be', { a: null }, { properties: { a: { type: 'string', nullable: true } } }, { a: null }, []],
  ])('%s', (_, value, schema, result, unknown) => {
    expect(shape(value, schema)).toEqual({ result, unknown })
  })

  it('changes nothing of what it was given', () => {
    const value = Object.freeze({ a: '1', b: 2 })
    expect(shape(value, inner).result).not.toBe(value)
    expect(value).toEqual({ a: '1', b: 2 })
  })
})

describe('the check of a value', () => {
  const texts = (value: unknown, schema: JsonSchema, old?: { value: unknown }) => validateValue(value, schema, 'x', old).map(textOf)

  it.each<[unknown, JsonSchema, string[]]>([
    [1, { type: 'string' }, ['x: Invalid value: "integer": x in body must be of type string: "integer"']],
    [1, { type: 'number' }, []],
    [1.5, { type: 'integer' }, ['x: Invalid value: "number": x in body must be of type integer: "number"']],
    [null, { type: 'string' }, ['x: Invalid value: "null": x in body must be of type string: "null"']],
    [null, { type: 'string', nullable: true }, []],
    [true, { 'x-kubernetes-int-or-string': true }, ['x: Invalid value: "boolean": x in body must be of type integer,string: "boolean"']],
    ['abc', { type: 'string', maxLength: 2 }, ['x: Too long: may not be more than 2 characters']],
    ['a', { type: 'string', minLength: 2 }, ['x: Invalid value: "a": x in body should be at least 2 chars long']],
    ['b', { type: 'string', pattern: '^a' }, ['x: Invalid value: "b": x in body should match \'^a\'']],
    ['b', { type: 'string', enum: ['a', 'c'] }, ['x: Unsupported value: "b": supported values: "a", "c"']],
    ['b', { type: 'string', format: 'date' }, ['x: Invalid value: "b": x in body must be of type date: "b"']],
    [5, { type: 'integer', maximum: 5, exclusiveMaximum: true }, ['x: Invalid value: 5: x in body should be less than 5']],
    [5, { type: 'integer', multipleOf: 2 }, ['x: Invalid value: 5: x in body should be a multiple of 2']],
    [[1, 2], { type: 'array', maxItems: 1 }, ['x: Too many: 2: must have at most 1 item']],
    [
      ['a'],
      { type: 'array', items: { type: 'integer' } },
      ['x[0]: Invalid value: "string": x[0] in body must be of type integer: "string"'],
    ],
    [{}, { type: 'object', required: ['a'] }, ['x.a: Required value']],
    [{}, { type: 'object', minProperties: 1 }, ['x: Invalid value: 0: x in body should have at least 1 properties']],
    [1, { not: { type: 'integer' } }, ['<nil>: Invalid value: "": "x" must not validate the schema (not)']],
    [
      1,
      { oneOf: [{ minimum: 2 }, { maximum: 0 }] },
      [
        '<nil>: Invalid value: "": "x" must validate one and only one schema (oneOf). Found none valid',
        'x: Invalid value: 1: x in body should be greater than or equal to 2',
      ],
    ],
  ])('%j under %j', (value, schema, expected) => {
    expect(texts(value, schema)).toEqual(expected)
  })

  it('lets be what was wrong before and has not changed', () => {
    const schema: JsonSchema = { type: 'object', properties: { a: { maximum: 1 }, b: { maximum: 1 } } }
    expect(texts({ a: 5, b: 6 }, schema, { value: { a: 5, b: 5 } })).toEqual([
      'x.b: Invalid value: 6: x.b in body should be less than or equal to 1',
    ])
  })

  it('takes time linear in the text, whatever the pattern', () => {
    expect(texts(`${'a'.repeat(50_000)}!`, { type: 'string', pattern: '^(a+)+$' })).toHaveLength(1)
  })
})

describe('lists', () => {
  it('hold an element of a set, and a key of a map, once', () => {
    const errors = new FieldErrors()
    const schema: JsonSchema = {
      properties: {
        s: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
        m: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object' } },
      },
    }
    validateListTypes({ s: ['x', 'x'], m: [{ k: 1, v: 1 }, { k: 2 }, { k: 1 }] }, schema, errors)
    expect(errors.all.map(textOf)).toEqual(['s[1]: Duplicate value: "x"', 'm[2]: Duplicate value: {"k":1}'])
  })
})

describe('formats', () => {
  it.each<[string, string, boolean]>([
    ['ipv4', '10.0.0.1', true],
    ['ipv4', '10.0.0.256', false],
    ['ipv6', '::1', true],
    ['ipv6', '1::2::3', false],
    ['cidr', '10.0.0.0/8', true],
    ['date-time', '2026-01-02T03:04:05Z', true],
    ['date-time', '2026-13-02T03:04:05Z', false],
    ['date', '2026-02-30', false],
    ['uuid', '01234567-89ab-cdef-0123-456789abcdef', true],
    ['duration', '1h30m', true],
    ['email', 'a@b.example', true],
    ['email', 'a b', false],
    ['byte', 'YQ==', true],
    ['uri', 'https://example.com/a', true],
    ['uri', 'a b', false],
    ['hostname', 'a.example', true],
  ])('%s: %s', (format, text, isGood) => {
    expect(formatOf(format)!(text)).toBe(isGood)
  })

  it('that nobody knows are not looked at', () => {
    expect(formatOf('int32')).toBeUndefined()
    expect(formatOf('constructor')).toBeUndefined()
  })
})

describe('a path of fields', () => {
  const schema: JsonSchema = {
    properties: { a: { properties: { 'b.c': { type: 'string' } } }, m: { additionalProperties: { type: 'integer' } } },
  }

  it.each<[string, string]>([
    ['.a', '.a'],
    ["['a']['b.c']", '.a.b.c'],
    ['.m.key', '.m[key]'],
  ])('%s', (path, text) => {
    expect(fieldPath(path, schema)).toMatchObject({ text })
  })

  it.each<[string, string]>([
    ['a', 'expected [ or . but got: a'],
    ['.b', 'does not refer to a valid field'],
    ['.', 'unexpected end of JSON path'],
    ['[0]', 'expected single quoted string but got 0'],
  ])('%s is wrong', (path, why) => {
    expect(fieldPath(path, schema)).toBe(why)
  })
})
