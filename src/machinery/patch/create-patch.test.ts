import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { int32, list, listMap, listSet, map, message, omitempty, optional, patched, string } from '../schema/schema.ts'
import { createMergePatch, createThreeWayMergePatch } from './create-merge-patch.ts'
import { createStrategicMergePatch, createThreeWayStrategicMergePatch } from './create-strategic-merge-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { restoreError } from './restore-error.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

const Container = message('x.v1.Container', { name: omitempty(1, string), image: omitempty(2, string), args: omitempty(3, list(string)) })
const Strategy = message('x.v1.Strategy', { type: omitempty(1, string), surge: omitempty(2, string) })
const Spec = message('x.v1.Spec', {
  containers: omitempty(1, listMap(Container, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
  finalizers: omitempty(2, listSet(string, { patchStrategy: 'merge' })),
  labels: omitempty(3, map(string)),
  strategy: patched(optional(4, Strategy), 'retainKeys'),
  replicas: optional(5, int32),
})

const spec = fc.record(
  {
    containers: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c'),
        image: fc.constantFrom('1', '2'),
        args: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }),
      }),
      {
        selector: item => item.name,
        minLength: 1,
      },
    ),
    finalizers: fc.uniqueArray(fc.constantFrom('f', 'g', 'h'), { minLength: 1 }),
    labels: fc.dictionary(fc.constantFrom('l', 'm', '__proto__'), fc.constantFrom('1', '2')),
    strategy: fc.record({ type: fc.constantFrom('A', 'B'), surge: fc.constantFrom('1', '2') }, { requiredKeys: ['type'] }),
    replicas: fc.nat(3),
  },
  { requiredKeys: [] },
)

describe('a patch made of two objects', () => {
  it('leads from one to the other', () => {
    fc.assert(
      fc.property(spec, spec, (original, modified) => {
        expect(applyMergePatch(original, createMergePatch(original, modified))).toEqual(modified)
        expect(applyStrategicMergePatch(original, createStrategicMergePatch(original, modified, Spec), Spec)).toEqual(modified)
      }),
      { numRuns: 300 },
    )
  })

  it('is empty when there is nothing to do', () => {
    fc.assert(
      fc.property(spec, object => {
        expect(createMergePatch(object, object)).toEqual({})
        expect(createStrategicMergePatch(object, object, Spec)).toEqual({})
        expect(createThreeWayStrategicMergePatch(object, object, object, Spec)).toEqual({})
      }),
    )
  })

  it('names elements by their key', () => {
    const original = {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '1' },
      ],
    }
    const modified = { containers: [{ name: 'b', image: '2' }] }
    expect(createStrategicMergePatch(original, modified, Spec)).toEqual({
      containers: [
        { name: 'b', image: '2' },
        { $patch: 'delete', name: 'a' },
      ],
      '$setElementOrder/containers': [{ name: 'b' }],
    })
  })

  it('says which keys of a union stay', () => {
    expect(createStrategicMergePatch({ strategy: { type: 'A', surge: '1' } }, { strategy: { type: 'B' } }, Spec)).toEqual({
      strategy: { $retainKeys: ['type'], type: 'B', surge: null },
    })
  })
})

describe('a patch made of three objects', () => {
  it('deletes what was applied before and leaves what others added', () => {
    const original = { labels: { l: '1', gone: '1' }, containers: [{ name: 'a' }, { name: 'gone' }] }
    const modified = { labels: { l: '2' }, containers: [{ name: 'a', image: '2' }] }
    const current = {
      labels: { l: '1', gone: '1', theirs: '1' },
      containers: [{ name: 'a', image: '1' }, { name: 'gone' }, { name: 'theirs' }],
      replicas: 3,
    }
    const expected = { labels: { l: '2', theirs: '1' }, containers: [{ name: 'a', image: '2' }, { name: 'theirs' }], replicas: 3 }
    const patch = createThreeWayStrategicMergePatch(original, modified, current, Spec)
    expect(applyStrategicMergePatch(current, patch, Spec)).toEqual(expected)
    const plain = createThreeWayMergePatch(
      { labels: original.labels },
      { labels: modified.labels },
      { labels: current.labels, replicas: 3 },
    )
    expect(plain).toEqual({ labels: { l: '2', gone: null } })
  })
})

describe('restoreError', () => {
  it.each([
    [{ containers: 'x' }, 'cannot restore slice from string'],
    [{ labels: [] }, 'cannot restore map from slice'],
    [{ strategy: 5 }, 'cannot restore struct from: int64'],
    [{ replicas: 'x' }, 'cannot convert string to int32'],
    [{ labels: { a: 1.5 } }, 'cannot convert float64 to string'],
    [{ replicas: 3, labels: { a: 'b' }, unknown: [] }, undefined],
  ])('says of %j: %s', (value, error) => expect(restoreError(value, Spec)).toBe(error))
})
