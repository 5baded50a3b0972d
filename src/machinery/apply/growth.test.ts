import { describe, expect, it } from 'vitest'
import { FieldSet } from './field-set.ts'
import { GrowthStart, MEMBER, ON_THE_WAY, WRITTEN_OUT } from './growth.ts'

const start = () => new GrowthStart(name => `f:${name}`)
const grow = (from: GrowthStart, ...names: string[]) =>
  FieldSet.grown(names.reduce((growth, name) => growth.take(name, MEMBER, undefined), from.first))

describe('sets put together step by step', () => {
  it('are the very same after the same steps', () => {
    const from = start()
    expect(grow(from, 'a', 'b')).toBe(grow(from, 'a', 'b'))
    expect(grow(from, 'a', 'b').toFieldsV1()).toEqual({ 'f:a': {}, 'f:b': {} })
  })

  it('hold what was taken, and nothing of ways that part from theirs', () => {
    const from = start()
    const below = grow(from, 'x')
    const other = grow(from, 'y')
    const nested = (set: FieldSet) => FieldSet.grown(from.first.take('a', MEMBER, undefined).take('b', MEMBER, set))
    expect(nested(below).toFieldsV1()).toEqual({ 'f:a': {}, 'f:b': { '.': {}, 'f:x': {} } })
    expect(nested(other).toFieldsV1()).toEqual({ 'f:a': {}, 'f:b': { '.': {}, 'f:y': {} } })
    expect(nested(below)).toBe(nested(below))
    expect(FieldSet.grown(from.first.take('b', ON_THE_WAY, below)).toFieldsV1()).toEqual({ 'f:b': { 'f:x': {} } })
  })

  it('tell a name from a step that is written out', () => {
    const from = start()
    expect([...FieldSet.grown(from.first.take('v:1', MEMBER, undefined)).members]).toEqual(['f:v:1'])
    expect([...FieldSet.grown(from.first.take('v:1', MEMBER | WRITTEN_OUT, undefined)).members]).toEqual(['v:1'])
  })

  it('count the first of two steps that are the same', () => {
    const from = start()
    const below = grow(from, 'x')
    expect(FieldSet.grown(from.first.take('a', MEMBER, undefined).take('a', MEMBER, below)).children.size).toBe(0)
  })

  it('are right when there are more ways than are remembered', () => {
    const from = start()
    for (let index = 0; index < 20_000; index++) {
      const set = grow(from, `a${index}`, 'b')
      if (index % 1000 === 0) expect([...set.members]).toEqual([`f:a${index}`, 'f:b'])
    }
    const [known, rare] = [grow(from, 'a0', 'b'), grow(from, 'a19999', 'b')]
    expect([known.isShared, rare.isShared, FieldSet.grown(from.first.take('a', MEMBER, rare)).isShared]).toEqual([true, false, false])
    expect(rare.toFieldsV1()).toEqual({ 'f:a19999': {}, 'f:b': {} })
    expect(rare.union(known)).toEqual(known.union(rare))
    const below = Array.from({ length: 200 }, (_, index) => grow(from, `x${index}`))
    for (const set of [...below, ...below]) expect(FieldSet.grown(from.first.take('a', MEMBER, set)).below('f:a')).toBe(set)
  })
})
