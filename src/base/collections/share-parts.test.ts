import { describe, expect, it } from 'vitest'
import { shareParts } from './share-parts.ts'

const pod = (name: string, image: string) => ({
  metadata: { name, labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image, ports: [{ port: 80 }] }], tolerations: [{ key: 'a' }, { key: 'b' }] },
})

describe('sharing parts', () => {
  it('takes over the parts that say the same, at any depth, and leaves what is said as it was', () => {
    const first = pod('first', 'one:1')
    const second = pod('second', 'one:1')
    expect(shareParts(second, first)).toBe(false)
    expect(second).toEqual(pod('second', 'one:1'))
    expect(second.spec).toBe(first.spec)
    expect(second.metadata.labels).toBe(first.metadata.labels)
    const third = pod('third', 'two:2')
    shareParts(third, first)
    expect(third).toEqual(pod('third', 'two:2'))
    expect(third.spec.containers[0]!.ports).toBe(first.spec.containers[0]!.ports)
    expect(third.spec.tolerations).toBe(first.spec.tolerations)
    expect(third.spec).not.toBe(first.spec)
  })

  it('tells whether all of it is the same', () => {
    expect(shareParts(pod('a', 'x'), pod('a', 'x'))).toBe(true)
    expect(shareParts({ a: 1 }, { a: 1, b: 2 })).toBe(false)
    expect(shareParts({ a: 1, b: 2 }, { a: 1 })).toBe(false)
    expect(shareParts([1, { a: 1 }], [1, { a: 1 }])).toBe(true)
    expect(shareParts([1], [1, 2])).toBe(false)
    expect(shareParts([], {})).toBe(false)
    expect(shareParts({ a: null }, { a: {} })).toBe(false)
    expect(shareParts({ a: undefined }, {})).toBe(false)
  })

  it('takes values whose names stand in another order for different: they are written in that order', () => {
    const value = { part: { a: 1, b: { c: 1 } } }
    const like = { part: { b: { c: 1 }, a: 1 } }
    expect(shareParts(value, like)).toBe(false)
    expect(JSON.stringify(value)).toBe('{"part":{"a":1,"b":{"c":1}}}')
    expect(value.part.b).toBe(like.part.b)
  })

  it('takes nothing for a part that is only inherited, and makes nothing a prototype', () => {
    const value = JSON.parse('{"__proto__":{"a":1},"constructor":{"b":1},"toString":{}}') as object
    const text = JSON.stringify(value)
    shareParts(value, {})
    shareParts(value, JSON.parse(text) as object)
    expect(JSON.stringify(value)).toBe(text)
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  })

  it('leaves frozen objects as they are, and stops where nesting has no end', () => {
    const value = Object.freeze({ list: Object.freeze([{ a: 1 }, { a: 2 }]) })
    expect(shareParts(value, { list: [{ a: 1 }, { a: 3 }] })).toBe(false)
    const nested = () => JSON.parse('{"a":'.repeat(5000) + '1' + '}'.repeat(5000)) as object
    expect(shareParts(nested(), nested())).toBe(false)
  })
})
