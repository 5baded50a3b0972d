import { crc32, gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { combinedChecksum } from './combined-checksum.ts'
import { compressedList, type JoinedList } from './compressed-list.ts'
import { nodeGzip } from './compression.ts'

const encoder = new TextEncoder()
const uidOf = (n: number) => n.toString(16).padStart(12, '0')
const object = (n: number, data = 'x'): ApiObject =>
  ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: `n-${n}`, uid: uidOf(n * 7) }, data }) as ApiObject

function listOf(items: readonly ApiObject[], revision = 1): JoinedList & { readonly parts: Uint8Array[] } {
  const parts = [encoder.encode(`{"revision":${revision},"items":[`)]
  for (const [index, item] of items.entries()) parts.push(encoder.encode(index > 0 ? ',' : ''), encoder.encode(JSON.stringify(item)))
  return { items, parts: [...parts, encoder.encode(']}')] }
}

/** Counts the blocks that are compressed; head and tail always are. */
function counting() {
  const gzip = {
    blocks: 0,
    part(bytes: readonly Uint8Array[]) {
      if (bytes.length > 1) gzip.blocks++
      return nodeGzip.part(bytes)
    },
  }
  return gzip
}

describe('a compressed list', () => {
  it('is one gzip file of the whole list, whatever of it was compressed before', async () => {
    let all = Array.from({ length: 300 }, (_, n) => object(n))
    const change = fc.record({ at: fc.nat(299), how: fc.constantFrom('change', 'drop', 'none') as fc.Arbitrary<string> })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 5 }), fc.nat(100), fc.nat(300), async (changes, from, count) => {
        for (const { at, how } of changes) {
          if (how === 'change') all = all.map((item, index) => (index === at ? object(at, `new ${at}`) : item))
          if (how === 'drop') all = all.filter((_, index) => index !== at || all.length < 100)
        }
        const list = listOf(all.slice(from, from + count))
        expect(gunzipSync(Buffer.concat(await compressedList(list, nodeGzip)))).toEqual(Buffer.concat(list.parts))
      }),
      { numRuns: 50 },
    )
  })

  it('compresses only the blocks in which something has changed', async () => {
    const items = Array.from({ length: 1000 }, (_, n) => object(n))
    const gzip = counting()
    await compressedList(listOf(items), gzip)
    const all = gzip.blocks
    await compressedList(listOf(items, 2), gzip)
    expect(gzip.blocks).toBe(all)
    await compressedList(
      listOf(
        items.map((item, index) => (index === 500 ? object(500, 'new') : item)),
        3,
      ),
      gzip,
    )
    expect([all > 8, gzip.blocks - all]).toEqual([true, 1])
    gzip.blocks = 0
    await compressedList(listOf(items.filter((_, index) => index !== 700 && index !== 0)), gzip)
    expect(gzip.blocks).toBeLessThanOrEqual(4)
  })

  it('shares with a list that comes meanwhile what is being compressed', async () => {
    const items = Array.from({ length: 500 }, (_, n) => object(n))
    const gzip = counting()
    await compressedList(listOf(items), gzip)
    const alone = gzip.blocks
    const others = items.map((_, n) => object(n, 'other'))
    gzip.blocks = 0
    await Promise.all([compressedList(listOf(others), gzip), compressedList(listOf(others), gzip)])
    expect(gzip.blocks).toBe(alone)
  })

  it('that could not be compressed is compressed anew for the next client', async () => {
    const items = Array.from({ length: 100 }, (_, n) => object(n))
    const failing = { part: () => Promise.reject(new Error('no memory')) }
    await expect(compressedList(listOf(items), failing)).rejects.toThrow('no memory')
    const list = listOf(items)
    expect(gunzipSync(Buffer.concat(await compressedList(list, nodeGzip)))).toEqual(Buffer.concat(list.parts))
  })

  it('may be empty, and its items may have no uid', async () => {
    for (const items of [[], [{ kind: 'A', apiVersion: 'v1', metadata: {} }]]) {
      const list = listOf(items)
      expect(gunzipSync(Buffer.concat(await compressedList(list, nodeGzip)))).toEqual(Buffer.concat(list.parts))
    }
  })
})

describe('combined checksums', () => {
  it('are those of the bytes one behind the other', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 5000 }), (first, second) => {
        expect(combinedChecksum(crc32(first), crc32(second), second.length)).toBe(crc32(Buffer.concat([first, second])))
      }),
    )
    const long = new Uint8Array(5_000_011)
    expect(combinedChecksum(crc32(encoder.encode('a')), crc32(long), long.length)).toBe(crc32(long, crc32(encoder.encode('a'))))
  })
})
