import fc from 'fast-check'
import { expect, test } from 'vitest'
import { interned, internTexts } from './interned.ts'

test('an interned text is the same text', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 200 })), texts => {
      for (const text of [...texts, ...texts]) expect(interned(text)).toBe(text)
    }),
  )
})

test('a value with interned texts says what it said', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), value => {
      const copy: unknown = JSON.parse(JSON.stringify(value))
      internTexts(copy)
      expect(copy).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
  const odd = JSON.parse('{"__proto__":"a text of some length","a":{"__proto__":{"b":"a text of some length"}}}') as object
  internTexts(odd)
  expect(JSON.stringify(odd)).toBe('{"__proto__":"a text of some length","a":{"__proto__":{"b":"a text of some length"}}}')
})
