import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ManagedFieldsEntry } from '../meta/object-meta.ts'
import type { JsonObject } from '../patch/json-object.ts'
import { embedded, listMap, listSet, map, message, omitempty, string } from '../schema/schema.ts'
import { managedFieldsAfterUpdate } from './field-manager.ts'
import { FieldSet } from './field-set.ts'
import { areReadable, owns } from './untouched-owners.ts'

const Meta = message('x.v1.Meta', { name: omitempty(1, string), uid: omitempty(2, string), labels: omitempty(3, map(string)) })
const Condition = message('x.v1.Condition', { type: omitempty(1, string), status: omitempty(2, string) })
const Status = message('x.v1.Status', {
  phase: omitempty(1, string),
  conditions: omitempty(2, listMap(Condition, ['type'])),
  addresses: omitempty(3, listSet(string)),
})
const Thing = message('x.v1.Thing', { metadata: embedded(1, Meta), data: omitempty(2, map(string)), status: embedded(3, Status) })
const type = { apiVersion: 'v1', schema: Thing }

const value = fc.constantFrom('1', '2')
const optional = { requiredKeys: [] }
const conditions = fc.uniqueArray(fc.record({ type: fc.constantFrom('a', 'b', 'c'), status: value }), { selector: item => item.type })
const state = fc.record({
  labels: fc.dictionary(fc.constantFrom('l', 'm'), value),
  data: fc.dictionary(fc.constantFrom('x', 'y', '__proto__'), value),
  status: fc.record({ phase: value, conditions, addresses: fc.uniqueArray(fc.constantFrom('1.1.1.1', '1.1.1.2')) }, optional),
})
const write = fc.record({ manager: fc.constantFrom('m1', 'm2', 'm3'), subresource: fc.constantFrom('', 'status'), state })

const objectOf = ({ labels, data, status }: JsonObject, managedFields?: readonly ManagedFieldsEntry[]) => ({
  metadata: { name: 'a', uid: 'u', labels, ...(managedFields ? { managedFields } : {}) },
  data,
  status,
})

describe('[A2] who owns what after a write', () => {
  it('is the same whether owners are told from their entries or read', () => {
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 6 }), writes => {
        let live: JsonObject | undefined
        let entries: readonly ManagedFieldsEntry[] = []
        writes.forEach(({ manager, subresource, state: next }, second) => {
          const writer = { manager, subresource, now: `2026-01-01T00:00:0${second}Z` }
          // What was just parsed is nothing that is known to be written by us.
          const parsed = live && (structuredClone(live) as JsonObject)
          const read = managedFieldsAfterUpdate(parsed, objectOf(next, structuredClone(entries)), writer, type)
          const told = managedFieldsAfterUpdate(live, objectOf(next, entries), writer, type)
          expect(told).toEqual(read)
          entries = told
          live = objectOf(next, entries)
        })
      }),
    )
  })

  it('leaves entries the very same that a write has nothing to do with', () => {
    const writer = (manager: string) => ({ manager, subresource: '', now: '2026-01-01T00:00:00Z' })
    const first = managedFieldsAfterUpdate(undefined, objectOf({ data: { x: '1' } }), writer('m1'), type)
    const live = objectOf({ data: { x: '1' } }, first)
    const after = managedFieldsAfterUpdate(live, objectOf({ data: { x: '1', y: '1' } }, first), writer('m2'), type)
    expect(after.map(({ manager }) => manager)).toEqual(['m1', 'm2'])
    expect(after[0]).toBe(first[0])
    expect(managedFieldsAfterUpdate(live, live, writer('m2'), type)).toBe(first)
  })
})

describe('entries', () => {
  const nobodys = FieldSet.of(['f:metadata', 'f:uid'])
  const entry = (fieldsV1: unknown, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry => ({
    manager: 'm',
    operation: 'Update',
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...more,
  })
  const written = FieldSet.of(['f:data'], ['f:data', 'f:x']).toFieldsV1()

  it('are told as they stand if they are as we write them', () => {
    expect(areReadable([entry(written), entry(written, { manager: 'n' })], 'v1', nobodys)).toBe(true)
    const read = { 'f:conditions': { 'k:{"type":"a"}': { '.': {} } } }
    FieldSet.fromFieldsV1(read)
    expect(areReadable([entry(read)], 'v1', nobodys)).toBe(true)
  })

  it.each([
    ['nobody knows how they are written', [entry({ 'f:data': {} })]],
    ['they are of another version', [entry(written, { apiVersion: 'v2' })]],
    ['one owner stands twice', [entry(written), entry(written)]],
    ['they own what is nobody’s', [entry(FieldSet.of(['f:metadata', 'f:uid']).toFieldsV1())]],
    ['they own nothing', [entry(FieldSet.empty.toFieldsV1())]],
    ['they are no entries', [entry(written, { operation: 'Delete' })]],
    ['they have no fields', [entry(undefined)]],
  ])('are read if %s', (_, entries) => {
    expect(areReadable(entries, 'v1', nobodys)).toBe(false)
  })

  it('are read if their steps are written otherwise than ours', () => {
    const spaced = { 'f:conditions': { 'k:{ "type": "a" }': { '.': {} } } }
    FieldSet.fromFieldsV1(spaced)
    expect(areReadable([entry(spaced)], 'v1', nobodys)).toBe(false)
  })

  it('own what is in both sets, and not what is only on the way', () => {
    expect(owns(written, FieldSet.of(['f:data', 'f:x']))).toBe(true)
    expect(owns(written, FieldSet.of(['f:data']))).toBe(true)
    expect(owns(written, FieldSet.of(['f:data', 'f:y']))).toBe(false)
    expect(owns(written, FieldSet.of(['f:data', 'f:x', 'f:deeper']))).toBe(false)
    expect(owns(FieldSet.of(['f:data', 'f:x']).toFieldsV1(), FieldSet.of(['f:data']))).toBe(false)
  })
})
