import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { parseStored } from './stored-json.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const owned = (more: object, ...fields: unknown[]) =>
  encodeJson({ kind: 'A', metadata: { name: 'a', managedFields: fields.map(fieldsV1 => ({ manager: 'm', fieldsV1 })) }, ...more })

describe('the JSON of stored objects', () => {
  it('is read as any JSON is', () => {
    const fields = fc.dictionary(fc.constantFrom('f:a', 'k:{"name":"}\\""}', '.', '\u2028<'), fc.dictionary(fc.string(), fc.constant({})))
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 4 }), fc.jsonValue(), (sets, spec) => {
        const text = owned({ spec }, ...sets)
        expect(encodeJson(parseStored(bytes(text)))).toBe(encodeJson(parseJson(text)))
      }),
    )
  })

  it.each([
    ['whole numbers beyond 2^53', owned({ spec: [9007199254740993n, { n: 12345678901234567890n }] }, { 'f:a': {} })],
    ['a number that is no double', '{"kind":"A","metadata":{},"spec":1e4}'],
    ['half a character', '{"kind":"A","metadata":{"name":"\\ud800"}}'],
    ['fields that are called so elsewhere', owned({ spec: { fieldsV1: { a: 1 } } }, { 'f:a': {} })],
    ['a number that looks like what was cut', '{"metadata":{"managedFields":[{"fieldsV1":0}]},"spec":{"fieldsV1":{"a":1}}}'],
    ['fields that are called so in a text', owned({ spec: '"fieldsV1":{' }, { 'f:a': {} })],
    ['fields that are none', '{"kind":"A","metadata":{"managedFields":[{"fieldsV1":0},{"fieldsV1":{}}]}}'],
    ['owners that are none', '{"kind":"A","metadata":{"managedFields":{"fieldsV1":{}}}}'],
    ['no object', 'null'],
  ])('loses nothing where there are %s', (_, text) => {
    expect(encodeJson(parseStored(bytes(text)))).toBe(encodeJson(parseJson(text)))
  })

  it('is refused in the same words where it is none', () => {
    for (const text of ['', '{"fieldsV1":{', '{"metadata":{"managedFields":[{"fieldsV1":{}]}}', '{"fieldsV1":{"a":"\\']) {
      const refusal = (read: () => unknown) => {
        try {
          return read()
        } catch (error) {
          return (error as Error).message
        }
      }
      expect(refusal(() => parseStored(bytes(text)))).toBe(refusal(() => parseJson(text)))
    }
  })

  it('shares sets of fields that say the same', () => {
    const read = () => parseStored(bytes(owned({}, { 'f:a': { 'f:b': {} } }, { 'f:<': {} }, { 'f:a': { 'f:b': {} } })))
    const [first, second, third] = read().metadata.managedFields!
    expect(third!.fieldsV1).toBe(first!.fieldsV1)
    expect(read().metadata.managedFields!.map(entry => entry.fieldsV1)).toEqual([first, second, third].map(entry => entry!.fieldsV1))
    expect(read().metadata.managedFields![1]!.fieldsV1).toBe(second!.fieldsV1)
  })
})
