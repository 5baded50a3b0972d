import { describe, expect, it } from 'vitest'
import { shared } from '../../apply/fields-v1.ts'
import type { ApiObject } from '../../kind/kind.ts'
import { encodeJson } from './encode-json.ts'
import { encodeObject } from './encode-object.ts'

const object = (metadata: object, more: object = {}) => ({ kind: 'Pod', apiVersion: 'v1', metadata, ...more }) as unknown as ApiObject
const entry = (fieldsV1?: object) => ({ manager: 'a "b" <c>', operation: 'Update', time: undefined, fieldsType: 'FieldsV1', fieldsV1 })

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
  ])('is that of any value, %s', (_, value) => {
    expect(encodeObject(value)).toBe(encodeJson(value))
    expect(encodeObject(value)).toBe(encodeJson(value))
  })
})
