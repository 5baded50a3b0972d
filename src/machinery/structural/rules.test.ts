import { describe, expect, it } from 'vitest'
import { textOf } from '../status/field-error.ts'
import type { JsonSchema, SchemaRule } from './json-schema.ts'
import { validateRules } from './validate-rules.ts'

const counter = (rule: Partial<SchemaRule> & { rule: string }): JsonSchema => ({
  type: 'object',
  properties: { n: { type: 'integer', 'x-kubernetes-validations': [rule] } },
})
const found = (value: unknown, schema: JsonSchema, old?: unknown) => {
  const { errors, warnings } = validateRules(value, schema, { isResource: false, ...(old === undefined ? {} : { old: { value: old } }) })
  return { errors: errors.map(textOf), warnings }
}

describe('rules', () => {
  it('are told where they are broken', () => {
    expect(found({ n: 12 }, counter({ rule: 'self < 10' })).errors).toEqual(['n: Invalid value: 12: failed rule: self < 10'])
    expect(found({ n: 1 }, counter({ rule: 'self < 10' })).errors).toEqual([])
    expect(found({}, counter({ rule: 'self < 10' })).errors).toEqual([])
  })

  it.each<[string, Partial<SchemaRule>, string]>([
    ['a message', { message: ' too much ' }, 'n: Invalid value: 12: too much'],
    ['an expression of it', { messageExpression: "'%d is too much'.format([self])" }, 'n: Invalid value: 12: 12 is too much'],
    ['the plain one where that fails', { messageExpression: 'string(1 / 0)' }, 'n: Invalid value: 12: failed rule: self < 10'],
    ['a reason', { reason: 'FieldValueForbidden', message: 'no' }, 'n: Forbidden: no'],
  ])('have %s', (_, more, text) => {
    expect(found({ n: 12 }, counter({ rule: 'self < 10', ...more })).errors).toEqual([text])
  })

  it('blame the field they name', () => {
    const schema: JsonSchema = {
      type: 'object',
      properties: { a: { type: 'integer' }, b: { type: 'integer' } },
      'x-kubernetes-validations': [{ rule: 'self.a < self.b', fieldPath: '.b', message: 'b is too small' }],
    }
    expect(found({ a: 2, b: 1 }, schema).errors).toEqual(['b: Invalid value: b is too small'])
  })

  it('fail where they cannot be answered', () => {
    expect(found({ n: 0 }, counter({ rule: '10 / self > 0' })).errors).toEqual([
      'n: Invalid value: "integer": division by zero evaluating rule: 10 / self > 0',
    ])
  })

  it('compare with what was there before, if anything was', () => {
    const grows = counter({ rule: 'self >= oldSelf' })
    expect(found({ n: 1 }, grows).errors).toEqual([])
    expect(found({ n: 1 }, grows, { n: 2 }).errors).toEqual(['n: Invalid value: 1: failed rule: self >= oldSelf'])
    expect(found({ n: 1 }, grows, {}).errors).toEqual([])
  })

  it('may ask whether there was anything', () => {
    const schema = counter({ rule: 'oldSelf.hasValue() ? self >= oldSelf.value() : self == 0', optionalOldSelf: true })
    expect(found({ n: 1 }, schema).errors).toHaveLength(1)
    expect(found({ n: 0 }, schema).errors).toEqual([])
    expect(found({ n: 3 }, schema, { n: 2 }).errors).toEqual([])
  })

  it('find the same element of a list by its keys', () => {
    const item: JsonSchema = {
      type: 'object',
      properties: { k: { type: 'string' }, v: { type: 'integer' } },
      'x-kubernetes-validations': [{ rule: 'self.v >= oldSelf.v' }],
    }
    const schema: JsonSchema = { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: item }
    const old = [
      { k: 'a', v: 1 },
      { k: 'b', v: 5 },
    ]
    expect(
      found(
        [
          { k: 'b', v: 4 },
          { k: 'a', v: 2 },
        ],
        schema,
        old,
      ).errors,
    ).toEqual(['[0]: Invalid value: failed rule: self.v >= oldSelf.v'])
  })

  it('[CR7] only warn of what was broken before and has not changed', () => {
    const schema = counter({ rule: 'self < 10' })
    expect(found({ n: 12, o: 1 }, schema, { n: 12 })).toEqual({ errors: [], warnings: ['n: Invalid value: 12: failed rule: self < 10'] })
    expect(found({ n: 13 }, schema, { n: 12 }).errors).toHaveLength(1)
  })

  it('end when they have cost enough', () => {
    const list: JsonSchema = {
      type: 'array',
      items: { type: 'string' },
      'x-kubernetes-validations': [{ rule: 'self.all(x, self.all(y, x == y))' }],
    }
    const { errors } = found(
      Array.from({ length: 3000 }, () => 'x'),
      list,
    )
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatch(/no further validation rules will be run/)
  })
})
