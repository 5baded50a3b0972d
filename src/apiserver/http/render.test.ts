import { describe, expect, it } from 'vitest'
import type { Pieces } from '#base/net/pieces.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { adopt, enclosed, keptBytes, slotted, storedForm } from '../watch-cache/stored-form.ts'
import { atRevision } from '../watch-cache/watcher.ts'
import { protobuf } from './protobuf.ts'
import { jsonBytes, renderList } from './render.ts'

const plain = { encoding: 'json', as: '', asVersion: '', isPretty: false } as const
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const object = (name: string, data: Record<string, string>): ApiObject =>
  ({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: slotted({ name, namespace: 'ns', labels: { l: '"resourceVersion":""' } }),
    data,
  }) as ApiObject

const plainly = (value: ApiObject) => [value, { json: new TextEncoder().encode(JSON.stringify(value)) }] as const

describe('stored bytes', () => {
  it('become what clients get by filling in the revision', () => {
    const form = storedForm(...plainly(object('ä', { k: 'v' })))
    const adopted = adopt(form.value, 42, () => form)
    expect(adopted).toBe(form.object)
    expect(text(keptBytes(adopted)!)).toBe(`${JSON.stringify({ ...form.object })}\n`)
    expect(adopted.metadata.resourceVersion).toBe('42')
  })

  it('stand in a frame as they stand alone, in whatever form they are kept, and as of any revision', () => {
    const form = storedForm(...plainly(object('ä', { k: 'v' })))
    const adopted = adopt(form.value, 42, () => form)
    const [head, tail] = ['<', '>'].map(part => new TextEncoder().encode(part)) as [Uint8Array, Uint8Array]
    const framed = (shown: object) => text(enclosed(shown, head, tail)!)
    const later = atRevision(adopted, 12_345)
    const whole = JSON.stringify({ ...form.object })
    expect([framed(adopted), framed(later)]).toEqual([`<${whole}>`, `<${whole.replace('"42"', '"12345"')}>`])
    expect(text(jsonBytes(adopted))).toBe(`${whole}\n`)
    expect(framed(adopted)).toBe(`<${whole}>`)
    expect(enclosed({}, head, tail)).toBeUndefined()
  })

  it('are not guessed for another revision where the revision stands twice', () => {
    const form = storedForm(...plainly({ ...object('a', {}), ref: { resourceVersion: '42' } } as unknown as ApiObject))
    const later = atRevision(
      adopt(form.value, 42, () => form),
      43,
    )
    expect(keptBytes(later)).toBeUndefined()
    expect(JSON.parse(text(jsonBytes(later)))).toMatchObject({ metadata: { resourceVersion: '43' }, ref: { resourceVersion: '42' } })
  })

  it('that somebody else has written are read, and served as they are', () => {
    const value = new TextEncoder().encode('{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a"},"data":{"k":"v"}}')
    const adopted = adopt(value, 7, json => ({ object: JSON.parse(text(json)), json }))
    expect(JSON.parse(text(jsonBytes(adopted)))).toEqual({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'a', resourceVersion: '7' },
      data: { k: 'v' },
    })
  })
})

describe('a list', () => {
  it.each([0, 1, 3])('of %i objects is its objects one behind the other, without their types', count => {
    const items = Array.from({ length: count }, (_, index) => object(`o${index}`, { k: String(index) }))
    const { bytes, list } = renderList(ConfigMap, { metadata: { resourceVersion: '9' }, items }, plain, protobuf)
    const pieces = bytes as Pieces
    const whole = text(Buffer.concat([...pieces]))
    expect(pieces.byteLength).toBe(Buffer.byteLength(whole))
    expect(list!.parts.slice()).toEqual([...pieces])
    expect(list!.parts.slice(-1)).toEqual([pieces.at(-1)])
    expect(pieces.at(pieces.length)).toBeUndefined()
    expect(whole.endsWith(']}\n')).toBe(true)
    expect(JSON.parse(whole)).toEqual({
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '9' },
      items: items.map(({ kind: _, apiVersion: __, ...rest }) => rest),
    })
  })
})
