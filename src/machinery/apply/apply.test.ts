import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ManagedFieldsEntry } from '../meta/object-meta.ts'
import type { JsonObject } from '../patch/json-object.ts'
import {
  defaulted,
  embedded,
  int32,
  list,
  listMap,
  listSet,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  rawExtension,
  string,
} from '../schema/schema.ts'
import type { StatusError } from '../status/status-error.ts'
import { applyConfiguration, ignoredBy, managedFieldsAfterUpdate } from './field-manager.ts'
import { FieldSet } from './field-set.ts'
import { ignoringTimes } from './managed.ts'
import type { TypedVersion } from './ownership.ts'
import { managedFieldsAfterScale, scaleManagedFields } from './scale-owners.ts'
import { pathText } from './steps.ts'
import { compare, fieldsOf, merge, remove, withNamedFields } from './typed-values.ts'

const Port = message('x.v1.Port', {
  containerPort: omitempty(1, int32),
  protocol: defaulted(2, oneOf('TCP', 'UDP'), 'TCP', '', 'value'),
  name: omitempty(3, string),
})
const Container = message('x.v1.Container', {
  name: omitempty(1, string),
  image: omitempty(2, string),
  ports: omitempty(3, listMap(Port, ['containerPort', 'protocol'])),
})
const Meta = message('x.v1.Meta', {
  name: omitempty(1, string),
  uid: omitempty(2, string),
  annotations: omitempty(3, map(string)),
  finalizers: omitempty(4, listSet(string)),
})
const Rolling = message('x.v1.Rolling', { surge: omitempty(1, string) })
const Spec = message('x.v1.Spec', {
  replicas: optional(1, int32),
  containers: omitempty(2, listMap(Container, ['name'])),
  args: omitempty(3, list(string)),
  rolling: optional(4, Rolling),
})
const Thing = message('x.v1.Thing', {
  apiVersion: omitempty(undefined, string),
  kind: omitempty(undefined, string),
  metadata: embedded(1, Meta),
  spec: embedded(2, Spec),
  data: omitempty(3, map(string)),
})
const type: TypedVersion = { apiVersion: 'v1', schema: Thing }

/** An object in a store: each write goes through the field manager. */
class Stored {
  object: JsonObject | undefined
  #second = 0

  get managed(): Record<string, unknown> {
    const entries = (this.object?.['metadata'] as { managedFields?: ManagedFieldsEntry[] } | undefined)?.managedFields ?? []
    return Object.fromEntries(
      entries.map(entry => [`${entry.manager} ${entry.operation}${entry.subresource ? ` ${entry.subresource}` : ''}`, entry.fieldsV1]),
    )
  }

  apply(manager: string, config: JsonObject, force = false, subresource = ''): void {
    const whole = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, ...config }
    const { object, managedFields } = applyConfiguration(this.object, whole, { manager, subresource, now: this.#now(), force }, type)
    this.#store(object, managedFields)
  }

  update(manager: string, object: JsonObject): void {
    const next = { apiVersion: 'v1', kind: 'Thing', ...object, metadata: { name: 'a', uid: 'u', ...(object['metadata'] as object) } }
    this.#store(next, managedFieldsAfterUpdate(this.object, next, { manager, subresource: '', now: this.#now() }, type))
  }

  #store(object: JsonObject, managedFields: readonly ManagedFieldsEntry[]): void {
    this.object = { spec: {}, ...object, metadata: { uid: 'u', ...(object['metadata'] as object), managedFields } }
  }

  #now(): string {
    return `2026-01-01T00:00:${String(this.#second++).padStart(2, '0')}Z`
  }
}

const stored = () => new Stored()
const message409 = (run: () => void): string => {
  try {
    run()
  } catch (error) {
    return `${(error as StatusError).code}: ${(error as StatusError).message}`
  }
  throw new Error('nothing was thrown')
}

describe('[A1] fieldsV1', () => {
  it('is read and written', () => {
    const fields = {
      'f:data': { '.': {}, 'f:x': {} },
      'f:spec': { 'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:image': {} } } },
      'f:set': { 'v:"a"': {} },
    }
    expect(FieldSet.fromFieldsV1(fields).toFieldsV1()).toEqual(fields)
    expect([...FieldSet.fromFieldsV1(fields).paths()].map(pathText)).toEqual([
      '.data',
      '.data.x',
      '.set[="a"]',
      '.spec.containers[name="c"]',
      '.spec.containers[name="c"].image',
    ])
    expect(() => FieldSet.fromFieldsV1({ 'x:a': {} })).toThrow('is no step of a path')
  })

  it('is one value for all that say the same', () => {
    const fields = () => FieldSet.of(['f:spec'], ['f:spec', 'f:a']).toFieldsV1()
    expect(fields()).toBe(fields())
  })

  it('takes no two steps for one, whatever they are made of', () => {
    for (const steps of [['f:a\nf:b'], ['f:a', 'f:b'], ['f:a3 f:b'], ['f:a', 'f:b3 f:c'], ['f:a', 'f:b', 'f:c']]) {
      expect([...FieldSet.of(...steps.map(step => [step])).members]).toEqual(steps)
    }
  })

  it('beyond a size is not kept for others, and right all the same', () => {
    const set = () => FieldSet.of(...Array.from({ length: 5000 }, (_, index) => [`f:${index}`]))
    expect(set()).not.toBe(set())
    expect(FieldSet.fromFieldsV1(set().toFieldsV1()).equals(set())).toBe(true)
  })

  it('follows the algebra of sets', () => {
    const set = fc
      .array(fc.array(fc.constantFrom('f:a', 'f:b', 'v:1'), { minLength: 1, maxLength: 3 }), { maxLength: 6 })
      .map(paths => FieldSet.of(...paths))
    fc.assert(
      fc.property(set, set, (a, b) => {
        expect(a.union(b).equals(b.union(a))).toBe(true)
        expect(a.difference(b).union(a.intersection(b)).equals(a)).toBe(true)
        expect(a.difference(b).intersection(b).isEmpty).toBe(true)
        expect(FieldSet.fromFieldsV1(a.toFieldsV1()).equals(a)).toBe(true)
      }),
    )
  })
})

describe('[A2] updates', () => {
  it('own what they add, and take what they change', () => {
    const thing = stored()
    thing.update('creator', { data: { x: '1', y: '1' }, spec: { replicas: 1, containers: [{ name: 'c', image: 'i' }] } })
    expect(thing.managed).toEqual({
      'creator Update': {
        'f:data': { '.': {}, 'f:x': {}, 'f:y': {} },
        'f:spec': { 'f:containers': { '.': {}, 'k:{"name":"c"}': { '.': {}, 'f:image': {}, 'f:name': {} } }, 'f:replicas': {} },
      },
    })
    thing.update('other', { data: { x: '2', y: '1' }, spec: { replicas: 1 } })
    expect(thing.managed).toEqual({
      'creator Update': { 'f:data': { '.': {}, 'f:y': {} }, 'f:spec': { 'f:replicas': {} } },
      'other Update': { 'f:data': { 'f:x': {} } },
    })
  })

  it('are not tracked any more once the client reset the owners', () => {
    const thing = stored()
    thing.apply('m1', { data: { x: '1' } })
    const reset = { ...thing.object!, metadata: { uid: 'u', managedFields: [{}] } }
    thing.update('cl', reset)
    expect(thing.managed).toEqual({})
    thing.update('cl', { data: { x: '1', y: '1' }, spec: {} })
    expect(thing.managed).toEqual({})
    expect(message409(() => thing.apply('m1', { data: { x: '2' } }))).toBe(
      '409: Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.x',
    )
  })

  it('own nothing of what they cannot set', () => {
    const next = { metadata: { name: 'a' }, spec: { replicas: 1 }, data: { x: '1' } }
    const writer = { manager: 'm', subresource: 'status', now: '2026-01-01T00:00:00Z' }
    const [entry] = managedFieldsAfterUpdate(undefined, next, writer, { ...type, ignored: ignoredBy('status')! })
    expect(entry?.fieldsV1).toEqual({ 'f:data': { '.': {}, 'f:x': {} } })
  })

  it('share one entry when there are more than ten updaters', () => {
    const thing = stored()
    for (let index = 0; index < 14; index++) {
      const data = Object.fromEntries(Array.from({ length: index + 1 }, (_, key) => [`k${key}`, '1']))
      thing.update(`u${index}`, { data, spec: {} })
    }
    expect(Object.keys(thing.managed)).toHaveLength(10)
    expect(thing.managed['ancient-changes Update']).toMatchObject({ 'f:data': { 'f:k0': {}, 'f:k1': {}, 'f:k4': {} } })
  })
})

describe('[A3] applies', () => {
  it('own what the configuration names', () => {
    const thing = stored()
    thing.apply('m1', { data: { x: '1' }, spec: { containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] } })
    expect(thing.managed).toEqual({
      'm1 Apply': {
        'f:data': { 'f:x': {} },
        'f:spec': {
          'f:containers': {
            'k:{"name":"c"}': {
              '.': {},
              'f:name': {},
              'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
            },
          },
        },
      },
    })
  })

  it('conflict where another manager has another value, and share where it is the same', () => {
    const thing = stored()
    thing.apply('m1', { data: { x: '1', y: '1' } })
    thing.apply('m3', { data: { z: '1' } })
    expect(message409(() => thing.apply('m2', { data: { x: '2', y: '2', z: '2' } }))).toBe(
      '409: Apply failed with 3 conflicts: conflicts with "m1":\n- .data.x\n- .data.y\nconflicts with "m3":\n- .data.z',
    )
    thing.apply('m2', { data: { x: '1' } })
    expect(thing.managed['m2 Apply']).toEqual({ 'f:data': { 'f:x': {} } })
    thing.apply('m2', { data: { x: '2', y: '2', z: '2' } }, true)
    expect(thing.managed).toEqual({ 'm2 Apply': { 'f:data': { 'f:x': {}, 'f:y': {}, 'f:z': {} } } })
  })

  it('name the updater, its version and the subresource in a conflict', () => {
    const thing = stored()
    thing.apply('m1', { data: { x: '1' } })
    thing.update('up', { data: { x: '9' }, spec: {} })
    expect(message409(() => thing.apply('m1', { data: { x: '1' } }))).toBe(
      '409: Apply failed with 1 conflict: conflict with "up" using v1: .data.x',
    )
    thing.apply('hpa', { spec: { replicas: 5 } }, true, 'scale')
    expect(message409(() => thing.apply('m1', { spec: { replicas: 1 } }))).toBe(
      '409: Apply failed with 1 conflict: conflict with "hpa" with subresource "scale": .spec.replicas',
    )
  })
})

describe('[A4] what an applier no longer names', () => {
  it('goes, unless someone else applies it', () => {
    const thing = stored()
    thing.apply('m1', { data: { x: '1', y: '2' }, spec: { containers: [{ name: 'a' }, { name: 'b' }] } })
    thing.apply('m2', { data: { x: '1' } })
    thing.apply('m1', { spec: { containers: [{ name: 'b' }] } })
    expect(thing.object!['data']).toEqual({ x: '1' })
    expect(thing.object!['spec']).toEqual({ containers: [{ name: 'b' }] })
    thing.apply('m2', {})
    expect(thing.object!['data']).toBeUndefined()
    expect(Object.keys(thing.managed)).toEqual(['m1 Apply'])
  })

  it('leaves alone what was never its own', () => {
    const thing = stored()
    thing.apply('m1', { data: { x: '1', y: '1' } })
    thing.update('up', { data: { x: '1', y: '1', other: '1' }, spec: {} })
    thing.apply('m1', { data: { y: '1' } })
    expect(thing.object!['data']).toEqual({ y: '1', other: '1' })
  })

  it('takes a field with all that is in it, when nobody else applies to it', () => {
    const thing = stored()
    thing.apply('m1', { data: { x: '1' } })
    thing.update('up', { data: { x: '1', other: '1' }, spec: {} })
    thing.apply('m1', { spec: { replicas: 1 } })
    expect(thing.object!['data']).toBeUndefined()
  })
})

describe('[A5] lists', () => {
  it('come in the order of the configuration, with what others have in between', () => {
    const order = (left: string[], right: string[]) => merge(left, right, listSet(string))
    expect(order(['b', 'a'], ['a', 'z', 'b'])).toEqual(['a', 'z', 'b'])
    expect(order(['a', 'z', 'b'], ['q', 'a'])).toEqual(['q', 'a', 'z', 'b'])
    expect(order(['x', 'a'], ['a'])).toEqual(['x', 'a'])
    expect(merge(['a'], ['b'], list(string))).toEqual(['b'])
  })
})

describe('[A6] kubectl', () => {
  it('takes over what its client-side apply had set, and keeps the annotation up to date', () => {
    const last = JSON.stringify({ apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a' }, data: { x: '1' } })
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': last }
    const thing = stored()
    thing.update('kubectl-client-side-apply', { metadata: { annotations }, data: { x: '1' }, spec: {} })
    thing.apply('kubectl', { data: { x: '2' } })
    expect(thing.object!['data']).toEqual({ x: '2' })
    expect(thing.managed['kubectl Apply']).toEqual({ 'f:data': { 'f:x': {} } })
    expect(JSON.stringify(thing.object!['metadata'])).toContain('\\"x\\":\\"2\\"')
    const foreign = stored()
    foreign.update('other', { metadata: { annotations }, data: { x: '7' }, spec: {} })
    expect(message409(() => foreign.apply('kubectl', { data: { x: '2' } }))).toContain('conflict with "other" using v1: .data.x')
  })
})

describe('[A7] mistakes', () => {
  it.each([
    [{ nosuch: 1 }, '.nosuch: field not declared in schema'],
    [{ data: 'x' }, '.data: expected map, got &{x}'],
    [{ data: { a: 5 } }, '.data.a: expected string, got &value.valueUnstructured{Value:5}'],
    [{ spec: { replicas: 'x' } }, '.spec.replicas: expected numeric (int or float), got string'],
    [{ spec: { containers: { a: 1 } } }, '.spec.containers: expected list, got &{map[a:1]}'],
    [{ spec: { containers: [{ name: 'c', bogus: 1 }] } }, '.spec.containers[name="c"].bogus: field not declared in schema'],
    [
      { spec: { containers: [{}] } },
      `.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)`,
    ],
    [{ metadata: { name: 'a', finalizers: ['f', 'f'] } }, '.metadata.finalizers: duplicate entries for key [="f"]'],
    [
      { data: { b: 1, a: true } },
      'errors:\n  .data.a: expected string, got &value.valueUnstructured{Value:true}\n  .data.b: expected string, got &value.valueUnstructured{Value:1}',
    ],
  ])('answers %j with 500', (config, text) => {
    expect(message409(() => stored().apply('m', config))).toBe(`500: failed to create typed patch object (/a; /v1, Kind=Thing): ${text}`)
  })
})

describe('JSON that a typed object carries', () => {
  const Raw = message('x.v1.Raw', { metadata: embedded(1, Meta), data: optional(2, rawExtension) })
  const raw = { apiVersion: 'v1', schema: Raw }
  const writer = { manager: 'm', subresource: '', now: '2026-01-01T00:00:00Z' }

  it('is owned as one, however deep it is', () => {
    let data: object = {}
    for (let depth = 0; depth < 100_000; depth++) data = { a: data }
    const [entry] = managedFieldsAfterUpdate(undefined, { metadata: {}, data }, writer, raw)
    expect(entry?.fieldsV1).toEqual({ 'f:data': {} })
  })
})

describe('[A8] times', () => {
  it('change only with the fields', () => {
    const thing = stored()
    thing.apply('m1', { data: { x: '1' } })
    const before = JSON.stringify(thing.object)
    thing.apply('m1', { data: { x: '1' } })
    expect(JSON.stringify(thing.object)).toBe(before)
    const entries = (thing.object!['metadata'] as { managedFields: ManagedFieldsEntry[] }).managedFields
    expect(
      ignoringTimes(
        entries,
        entries.map(entry => ({ ...entry, time: 'later' })),
      ),
    ).toBe(entries)
  })
})

describe('[A11] scale', () => {
  const paths = { 'apps/v1': ['f:spec', 'f:replicas'] }
  const entry = (manager: string, fieldsV1: object, apiVersion = 'apps/v1', subresource?: string) => ({
    manager,
    operation: 'Apply',
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource ? { subresource } : { time: '2026-01-01T00:00:00Z' }),
  })
  const owner = entry('m1', { 'f:spec': { 'f:replicas': {}, 'f:selector': {} } })

  it('shows the owners of the replicas, and gives them to who takes them there', () => {
    expect(scaleManagedFields([owner, entry('m2', { 'f:data': {} })], paths)).toEqual([
      entry('m1', { 'f:spec': { 'f:replicas': {} } }, 'autoscaling/v1'),
    ])
    const taken = [entry('hpa', { 'f:spec': { 'f:replicas': {} } }, 'autoscaling/v1', 'scale')]
    expect(managedFieldsAfterScale([owner], taken, paths, 'apps/v1')).toEqual([
      entry('hpa', { 'f:spec': { 'f:replicas': {} } }, 'apps/v1', 'scale'),
      entry('m1', { 'f:spec': { 'f:selector': {} } }),
    ])
  })

  it('changes nothing when the owner stays', () => {
    expect(managedFieldsAfterScale([owner], scaleManagedFields([owner], paths), paths, 'apps/v1')).toEqual([owner])
  })
})

describe('[A9] the laws', () => {
  const config = fc.record(
    {
      data: fc.dictionary(fc.constantFrom('x', 'y', '__proto__'), fc.constantFrom('1', '2')),
      spec: fc.record(
        {
          replicas: fc.nat(3),
          args: fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 }),
          containers: fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c'), image: fc.constantFrom('1', '2') }), {
            selector: item => item.name,
          }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )

  it('applying twice is applying once', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const thing = stored()
        thing.apply('m1', first)
        thing.apply('m2', second, true)
        const once = JSON.stringify(thing.object)
        thing.apply('m2', second, true)
        expect(JSON.stringify(thing.object)).toBe(once)
      }),
    )
  })

  it('a sole applier gets exactly what it applied last', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const thing = stored()
        thing.apply('m', first)
        thing.apply('m', second)
        // The spec is a message by value: it is there even when nobody names it.
        const left = fieldsOf(thing.object, Thing).difference(fieldsOf(second, Thing)).intersection(fieldsOf(first, Thing))
        expect(left.difference(FieldSet.of(['f:spec'])).toFieldsV1()).toEqual({})
        const { changed } = compare(second, merge(thing.object, second, Thing), Thing)
        expect(fieldsOf(second, Thing).intersection(changed).isEmpty).toBe(true)
      }),
    )
  })

  it('a merge contains what was merged, and removing it leaves nothing of it', () => {
    fc.assert(
      fc.property(config, config, (left, right) => {
        const merged = merge(left, right, Thing)
        const fields = fieldsOf(right, Thing)
        expect(fields.difference(withNamedFields(fieldsOf(merged, Thing), Thing)).isEmpty).toBe(true)
        expect(
          fieldsOf(remove(merged, fields, Thing), Thing)
            .intersection(fields)
            .toFieldsV1(),
        ).toEqual({})
      }),
    )
  })
})
