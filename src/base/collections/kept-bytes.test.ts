import { describe, expect, it } from 'vitest'
import { copyBytes, newKeptBytes } from './kept-bytes.ts'

const counts = (bytes: Uint8Array) => bytes.buffer instanceof ArrayBuffer

describe('kept bytes', () => {
  it('are of the length asked for, and zero', () => {
    for (const length of [0, 1, 5000, 1_000_000]) {
      const bytes = newKeptBytes(length)
      expect(bytes.length).toBe(length)
      expect(bytes.some(byte => byte !== 0)).toBe(false)
    }
  })

  it('count as memory for the collector: large ones all, of small ones every eleventh', () => {
    const small = Array.from({ length: 110 }, () => newKeptBytes(5000))
    expect(small.filter(counts)).toHaveLength(10)
    const large = Array.from({ length: 8 }, () => newKeptBytes(100_000))
    expect(large.filter(counts)).toHaveLength(8)
  })

  it('are copied to and from other memory as they are, whatever their length, and leave what lies around them alone', () => {
    for (const length of [0, 1, 511, 512, 5000]) {
      const source = new Uint8Array(length).map((_, index) => index % 251)
      const kept = new Uint8Array(new SharedArrayBuffer(length + 5))
      copyBytes(source, kept, 3)
      expect([...kept]).toEqual([0, 0, 0, ...source, 0, 0])
      const target = new Uint8Array(length + 2).fill(9)
      copyBytes(kept.subarray(3, 3 + length), target, 1)
      expect([...target]).toEqual([9, ...source, 9])
    }
    for (const length of [100, 1000]) expect(() => copyBytes(new Uint8Array(length), newKeptBytes(length), 1)).toThrow(RangeError)
  })
})
