import { describe, expect, it } from 'vitest'
import { firstFree } from './free-network.ts'

describe('a network for a test', () => {
  it('is one that no route and no address of the machine overlaps', () => {
    expect(firstFree([], 0)).toBe('198.18.0')
    expect(firstFree(['default', '198.18.0.0/30', '198.18.1.254'], 0)).toBe('198.18.2')
    expect(firstFree(['198.18.0.0/16', '0.0.0.0/0'], 3)).toBe('198.19.0')
  })

  it('begins again where the range ends', () => {
    expect(firstFree(['198.19.255.0/24'], 511)).toBe('198.18.0')
  })

  it('is refused where nothing is free', () => {
    expect(() => firstFree(['198.18.0.0/15'], 0)).toThrow('every network of 198.18.0.0/15 is in use')
  })
})
