import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { int32, list, listMap, listSet, map, message, omitempty, string } from '../schema/schema.ts'
import type { StatusError } from '../status/status-error.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

const anyObject = fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor'), fc.jsonValue({ maxDepth: 2 }))
const failure = (run: () => unknown): { code: number; message: string } => {
  try {
    run()
  } catch (error) {
    return { code: (error as StatusError).code, message: (error as StatusError).message }
  }
  throw new Error('nothing was thrown')
}

describe('applyMergePatch', () => {
  it('merges objects, deletes with null and replaces the rest', () => {
    const document = { data: { x: '1', y: '2' }, list: [1] }
    expect(applyMergePatch(document, { data: { x: null, z: '3' }, list: [2], none: null })).toEqual({ data: { y: '2', z: '3' }, list: [2] })
    expect(document).toEqual({ data: { x: '1', y: '2' }, list: [1] })
    expect(applyMergePatch({}, { a: { b: null, c: { d: null } } })).toEqual({ a: { c: {} } })
  })

  it('agrees with the pseudo code of RFC 7386', () => {
    const naive = (target: unknown, patch: unknown): unknown => {
      if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
      const result = new Map(typeof target === 'object' && target !== null && !Array.isArray(target) ? Object.entries(target) : [])
      for (const [key, value] of Object.entries(patch)) {
        if (value === null) result.delete(key)
        else result.set(key, naive(result.get(key), value))
      }
      return Object.fromEntries(result)
    }
    fc.assert(
      fc.property(anyObject, anyObject, (document, patch) => {
        expect(applyMergePatch(document, patch)).toEqual(naive(document, patch))
      }),
    )
  })

  it('shares what it does not touch', () => {
    const document = { a: { b: 1 }, c: {} }
    expect(applyMergePatch(document, { c: { d: 1 } })['a']).toBe(document.a)
  })

  it('refuses what is no object', () => {
    expect(failure(() => applyMergePatch({}, 'x'))).toEqual({
      code: 400,
      message: 'error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}',
    })
  })

  it('keeps __proto__ harmless', () => {
    const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'))
    expect(JSON.stringify(patched)).toBe('{"__proto__":{"polluted":true}}')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('applyJsonPatch', () => {
  const document = { data: { x: '1' }, list: ['a', 'b'] }
  const apply = (...patch: unknown[]) => applyJsonPatch(document, patch)

  it.each([
    [
      { op: 'add', path: '/data/y', value: 2 },
      { data: { x: '1', y: 2 }, list: ['a', 'b'] },
    ],
    [
      { op: 'add', path: '/list/-', value: 'c' },
      { data: { x: '1' }, list: ['a', 'b', 'c'] },
    ],
    [
      { op: 'add', path: '/list/0', value: 'c' },
      { data: { x: '1' }, list: ['c', 'a', 'b'] },
    ],
    [
      { op: 'add', path: '/list/2', value: 'c' },
      { data: { x: '1' }, list: ['a', 'b', 'c'] },
    ],
    [
      { op: 'remove', path: '/list/-1' },
      { data: { x: '1' }, list: ['a'] },
    ],
    [
      { op: 'replace', path: '/data/none', value: 7 },
      { data: { x: '1', none: 7 }, list: ['a', 'b'] },
    ],
    [{ op: 'replace', path: '', value: {} }, {}],
    [{ op: 'test', path: '/data/nope', value: null }, document],
    [
      { op: 'add', path: 'ignored/y', value: 1 },
      { ...document, y: 1 },
    ],
    [
      { op: 'move', from: '/data/x', path: '/data/w' },
      { data: { w: '1' }, list: ['a', 'b'] },
    ],
    [
      { op: 'copy', from: '/list', path: '/data/l' },
      { data: { x: '1', l: ['a', 'b'] }, list: ['a', 'b'] },
    ],
    [
      { op: 'add', path: '/a~1b~0c', value: 1 },
      { ...document, 'a/b~c': 1 },
    ],
    [
      { op: 'add', path: '/data/v' },
      { data: { x: '1', v: null }, list: ['a', 'b'] },
    ],
  ])('carries out %j', (operation, result) => expect(apply(operation)).toEqual(result))

  it.each([
    { op: 'frob', path: '/data' },
    { path: '/data/x', value: 1 },
    { op: 'add', value: 1 },
    { op: 'add', path: '/none/x', value: 1 },
    { op: 'add', path: '', value: {} },
    { op: 'add', path: '/list/3', value: 1 },
    { op: 'add', path: '/list/x', value: 1 },
    { op: 'remove', path: '/data/nope' },
    { op: 'remove', path: '/list/2' },
    { op: 'replace', path: '/list/9', value: 1 },
    { op: 'test', path: '/data/x', value: '2' },
    { op: 'test', path: '/data/constructor/name', value: 'Object' },
    { op: 'move', from: '/nope', path: '/data/x' },
  ])('answers %j with one message', operation => {
    expect(failure(() => apply(operation))).toEqual({
      code: 422,
      message: 'the server rejected our request due to an error in our request',
    })
  })

  it('leaves the document alone, and what was copied apart', () => {
    const patched = apply(
      { op: 'copy', from: '/data', path: '/copy' },
      { op: 'add', path: '/copy/y', value: 1 },
      { op: 'add', path: '/data/z', value: 1 },
    )
    expect(patched).toEqual({ data: { x: '1', z: 1 }, copy: { x: '1', y: 1 }, list: ['a', 'b'] })
    expect(document).toEqual({ data: { x: '1' }, list: ['a', 'b'] })
  })

  it('refuses what is no list of operations', () => {
    expect(failure(() => applyJsonPatch({}, { op: 'add' })).message).toBe(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    )
    expect(failure(() => applyJsonPatch({}, Array(10_001).fill({ op: 'test', path: '/a', value: null })))).toEqual({
      code: 413,
      message: 'Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001',
    })
  })

  it('does not let copies grow without end', () => {
    const double = Array.from({ length: 64 }, (_, index) => ({ op: 'copy', from: '/data', path: `/data/${index}` }))
    expect(failure(() => applyJsonPatch(document, double)).code).toBe(422)
  })

  it('takes any rubbish without crashing', () => {
    const path = fc.array(fc.constantFrom('/', 'a', '0', '-', '-1', '~', '~1', '__proto__', 'b')).map(parts => parts.join(''))
    const operation = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
      path,
      from: path,
      value: fc.jsonValue(),
    })
    fc.assert(
      fc.property(anyObject, fc.array(operation, { maxLength: 5 }), (start, patch) => {
        const before = JSON.stringify(start)
        try {
          applyJsonPatch(start, patch)
        } catch (error) {
          expect((error as StatusError).code).toBe(422)
        }
        expect(JSON.stringify(start)).toBe(before)
        expect(Object.keys(Object.prototype)).toEqual([])
      }),
    )
  })
})

const Port = message('x.v1.Port', { port: omitempty(1, int32), name: omitempty(2, string) })
const Container = message('x.v1.Container', {
  name: omitempty(1, string),
  image: omitempty(2, string),
  ports: omitempty(3, listMap(Port, ['port'], { patchStrategy: 'merge', patchMergeKey: 'port' })),
  args: omitempty(4, list(string)),
})
const Spec = message('x.v1.Spec', {
  containers: omitempty(1, listMap(Container, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' })),
  finalizers: omitempty(2, listSet(string, { patchStrategy: 'merge' })),
  labels: omitempty(3, map(string)),
  paused: omitempty(4, string),
})
const Thing = message('x.v1.Thing', { spec: omitempty(1, Spec) })

describe('applyStrategicMergePatch', () => {
  const document = {
    spec: {
      containers: [
        { name: 'a', image: '1', args: ['x'], ports: [{ port: 80, name: 'http' }] },
        { name: 'b', image: '2' },
      ],
      finalizers: ['f1', 'f2'],
      labels: { l: '1' },
    },
  }
  const patched = (spec: object) => applyStrategicMergePatch(document, { spec }, Thing)['spec'] as typeof document.spec

  it('merges lists by their key, new elements in front', () => {
    expect(patched({ containers: [{ name: 'b', image: '3' }, { name: 'c' }] }).containers).toEqual([
      document.spec.containers[0],
      { name: 'b', image: '3' },
      { name: 'c' },
    ])
    expect(patched({ containers: [{ name: 'a', ports: [{ port: 90 }], args: ['y'] }] }).containers[0]).toEqual({
      name: 'a',
      image: '1',
      args: ['y'],
      ports: [{ port: 90 }, { port: 80, name: 'http' }],
    })
  })

  it('follows $patch', () => {
    expect(patched({ containers: [{ name: 'a', $patch: 'delete' }] }).containers.map(({ name }) => name)).toEqual(['b'])
    expect(patched({ containers: [{ name: 'x' }, { $patch: 'replace' }] }).containers).toEqual([{ name: 'x' }])
    expect(patched({ labels: { $patch: 'delete' } }).labels).toEqual({})
    expect(patched({ labels: { $patch: 'replace', m: '2' } }).labels).toEqual({ m: '2' })
    expect(applyStrategicMergePatch(document, { $patch: 'delete' }, Thing)).toEqual({})
  })

  it('follows the directives of scalar lists', () => {
    expect(patched({ finalizers: ['f3', 'f1'] }).finalizers).toEqual(['f3', 'f1', 'f2'])
    expect(patched({ '$deleteFromPrimitiveList/finalizers': ['f1'] }).finalizers).toEqual(['f2'])
    expect(patched({ '$setElementOrder/finalizers': ['f2', 'f1'] }).finalizers).toEqual(['f2', 'f1'])
  })

  it('follows $setElementOrder', () => {
    const spec = { '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }], containers: [{ name: 'c' }] }
    expect(patched(spec).containers.map(({ name }) => name)).toEqual(['c', 'b', 'a'])
  })

  it('follows $retainKeys', () => {
    expect(patched({ $retainKeys: ['paused'], paused: 'yes' })).toEqual({ paused: 'yes' })
    expect(failure(() => patched({ $retainKeys: ['x'], paused: 'yes' }))).toEqual({
      code: 400,
      message: 'invalid patch format of retainKeys',
    })
  })

  it('deletes with null and drops directives where there is nothing to merge with', () => {
    expect(patched({ containers: null, labels: { l: null } })).toEqual({ finalizers: ['f1', 'f2'], labels: {} })
    expect(applyStrategicMergePatch({}, { spec: { labels: { $patch: 'replace', a: 'b', c: null } } }, Thing)).toEqual({
      spec: { labels: { a: 'b' } },
    })
  })

  it.each([
    [{ containers: [{ image: 'x' }] }, 'map: map[image:x] does not contain declared merge key: name'],
    [{ containers: [{ name: 'a', $patch: 'explode' }] }, 'unknown patch type: explode in map: map[$patch:explode name:a]'],
    [{ containers: [{ name: 'a', $setElementOrder: 1 }] }, 'expected a []interface {}, but received a int64'],
    [
      { '$setElementOrder/containers': [{ name: 'b' }], containers: [{ name: 'a', image: 'x' }] },
      "The order in patch list:\n[map[image:x name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
    ],
  ])('answers the mistake in %j with 500', (spec, message) => expect(failure(() => patched(spec))).toEqual({ code: 500, message }))

  it('replaces a value of another type, for the schema to refuse', () => {
    expect(patched({ containers: 'x' }).containers).toBe('x')
  })

  it('changes nothing when applied a second time', () => {
    const container = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), image: fc.constantFrom('1', '2') })
    const spec = fc.record({
      containers: fc.uniqueArray(container, { selector: ({ name }) => name }),
      finalizers: fc.uniqueArray(fc.constantFrom('f1', 'f2', 'f3')),
    })
    fc.assert(
      fc.property(spec, spec, (start, patch) => {
        const before = JSON.stringify(start)
        const once = applyStrategicMergePatch({ spec: start }, { spec: patch }, Thing)
        expect(applyStrategicMergePatch(once, { spec: patch }, Thing)).toEqual(once)
        expect(JSON.stringify(start)).toBe(before)
      }),
    )
  })
})
