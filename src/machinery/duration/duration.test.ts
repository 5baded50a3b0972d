import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { durationMs, formatDuration, parseDuration } from './duration.ts'

describe('durations', () => {
  it.each([
    ['0', '0s'],
    ['1h30m', '1h30m0s'],
    ['90s', '1m30s'],
    ['-1.5s', '-1.5s'],
    ['300ms', '300ms'],
    ['1500us', '1.5ms'],
    ['1.5h', '1h30m0s'],
    ['.5s', '500ms'],
    ['7ns', '7ns'],
    ['2562047h47m16.854775807s', '2562047h47m16.854775807s'],
  ])('reads %j and writes %j', (text, canonical) => expect(formatDuration(parseDuration(text))).toBe(canonical))

  it.each([
    ['', 'time: invalid duration ""'],
    ['x', 'time: invalid duration "x"'],
    ['1', 'time: missing unit in duration "1"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['9999999999h', 'time: invalid duration "9999999999h"'],
    ['.s', 'time: invalid duration ".s"'],
  ])('refuses %j as Go does', (text, message) => expect(() => parseDuration(text)).toThrow(message))

  it('come back from their text', () => {
    fc.assert(fc.property(fc.bigInt(-(2n ** 63n) + 1n, 2n ** 63n - 1n), nanos => parseDuration(formatDuration(nanos)) === nanos))
    expect(durationMs('1.5s')).toBe(1500)
  })
})
