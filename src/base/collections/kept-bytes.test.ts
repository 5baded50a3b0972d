import { describe, expect, it } from 'vitest'
import { newKeptBytes } from './kept-bytes.ts'

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
})
