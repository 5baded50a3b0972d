import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shared } from '#machinery/apply/fields-v1.ts'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { encodeStored, type Former } from './encode-stored.ts'
import { adopt, formerOf, slotted, storedForm, written } from './stored-form.ts'

const object = (metadata: object, more: object = {}) => ({ kind: 'Pod', apiVersion: 'v1', metadata, ...more }) as unknown as ApiObject
const entry = (fieldsV1?: object) => ({ manager: 'a "b" <c>', operation: 'Update', time: undefined, fieldsType: 'FieldsV1', fieldsV1 })
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe('the JSON of an object', () => {
  it.each([
    ['without managedFields', object({ name: 'a' })],
    ['with none of them', object({ name: 'a', managedFields: [] })],
    ['with an entry that owns nothing', object({ managedFields: [entry(), {}] })],
    [
      'with fields of its own',
      object({ name: 'a', managedFields: [entry({ 'f:spec': { 'k:{"name":"<&>"}': {} } })] }, { spec: { a: '<' } }),
    ],
    [
      'with fields it shares',
      object({ name: 'a', managedFields: [entry(shared({ 'f:data': { 'f:a&b': {} } }))] }, { data: { 'a&b': '' } }),
    ],
    [
      'with keys that look like them',
      object({ labels: { managedFields: 'x' }, managedFields: [entry({})] }, { spec: { managedFields: 0, metadata: {} } }),
    ],
    [
      'with big numbers and parts that are not there',
      object({ managedFields: [entry({})] }, { spec: { big: 2n ** 60n, nothing: undefined }, status: undefined }),
    ],
    ['with more than a spec and a status', object({ name: 'a' }, { data: {}, 'ä<': 1, type: 'T', immutable: true })],
    ['with text of all sorts, and halves of characters', object({ name: 'ä€😀\u2028' }, { data: { half: '\ud800x' } })],
    ['that is large', object({ name: 'a' }, { data: { large: 'ä'.repeat(1_000_000) } })],
    ['with its metadata at the end', { spec: { a: 1 }, metadata: { name: 'a' } } as unknown as ApiObject],
    ['of nothing', {} as ApiObject],
  ])('is that of any value, %s', (_, value) => {
    const plain = text(new TextEncoder().encode(encodeJson(value)))
    expect(text(encodeStored(value).json)).toBe(plain)
    expect(text(encodeStored(value, { ...encodeStored(value), object: value }).json)).toBe(plain)
  })

  const part = fc.constantFrom<unknown>({ a: 'ä' }, { a: '<' }, {}, [], [1], 'text', 0, null, undefined)
  const fields = fc.uniqueArray(fc.tuple(fc.constantFrom('spec', 'status', 'data', 'metadata2'), part), { selector: ([name]) => name })
  const entries = fc.constantFrom(undefined, [], [entry({ 'f:a': {} })], [entry({ 'f:ä': {} }), entry()])
  const version = fc.record({ labels: fc.dictionary(fc.constantFrom('l', 'ä'), fc.string()), managedFields: entries, fields })

  it('is the same whatever it has in common with a version before', () => {
    fc.assert(
      fc.property(fc.array(version, { minLength: 2, maxLength: 5 }), versions => {
        let former: Former | undefined
        for (const [index, { labels, managedFields, fields }] of versions.entries()) {
          const metadata = slotted({ name: 'a', labels, managedFields } as ApiObject['metadata'])
          const value = object(metadata, Object.fromEntries(fields))
          const plain = encodeJson(value)
          const form = storedForm(value, encodeStored(value, former))
          expect(text(form.json!)).toBe(plain)
          adopt(form.value, 10 ** index, () => form)
          written(form)
          former = formerOf(value)
          if (fields.filter(([, item]) => item !== undefined).length <= 2) expect(text(former!.json)).toBe(`${encodeJson(value)}\n`)
          else expect(former).toBeUndefined()
        }
      }),
      { numRuns: 500 },
    )
  })

  it('is made anew of what is not the very same, though it stands at the same place', () => {
    const [spec, status] = [{ a: 1 }, { b: 1 }]
    const before = object({ name: 'a' }, { spec, status })
    const former = { ...encodeStored(before), object: before }
    for (const parts of [
      { spec: { a: 2 }, status },
      { spec, status: { b: 2 } },
      { status, spec },
      { spec: status, status: spec },
      { status },
    ])
      expect(text(encodeStored(object({ name: 'a' }, parts), former).json)).toBe(encodeJson(object({ name: 'a' }, parts)))
  })
})
