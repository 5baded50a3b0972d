import { describe, expect, test } from 'vitest'
import { beside } from './beside.ts'

describe('values kept beside objects', () => {
  test('are found again, can be replaced, and are apart for each keeper', () => {
    const [one, other] = [beside<string>(), beside<number>()]
    const object = { name: 'a' }
    expect(one.get(object)).toBeUndefined()
    one.set(object, 'first')
    other.set(object, 1)
    one.set(object, 'second')
    expect([one.get(object), other.get(object), one.get({ name: 'a' })]).toEqual(['second', 1, undefined])
  })

  test('are seen by nobody and not copied with the object', () => {
    const kept = beside<string>()
    const object = { name: 'a' }
    kept.set(object, 'beside')
    expect(Reflect.ownKeys(object)).toEqual(['name'])
    expect(JSON.stringify(object)).toBe('{"name":"a"}')
    expect(kept.get({ ...object })).toBeUndefined()
    expect(object).toEqual({ name: 'a' })
    expect(kept.get(structuredClone(object))).toBeUndefined()
  })

  test('can be kept beside what is frozen, lists and byte arrays', () => {
    const kept = beside<string>()
    for (const object of [Object.freeze({ name: 'a' }), [1, 2], new Uint8Array(3)]) {
      kept.set(object, 'beside')
      expect(kept.get(object)).toBe('beside')
    }
  })
})
