import { describe, expect, it } from 'vitest'
import { canonicalMicroTime, canonicalTime, microTimeOf, secondsAndNanos, timeOf } from './time.ts'

describe('canonicalTime', () => {
  it.each([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.999Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05+02:00', '2026-01-02T01:04:05Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00Z'],
  ])('reads %j as %j', (text, time) => expect(canonicalTime(text)).toBe(time))

  it.each([
    ['yesterday', 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"'],
    ['2026-01-02', 'parsing time "2026-01-02" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    ['2026-01-02T03:04:05', 'parsing time "2026-01-02T03:04:05" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"'],
  ])('refuses %j as Go does', (text, message) => expect(() => canonicalTime(text)).toThrow(message))

  it('refuses days that do not exist', () => {
    expect(() => canonicalTime('2026-02-30T00:00:00Z')).toThrow('parsing time')
    expect(() => canonicalTime('2026-13-01T00:00:00Z')).toThrow('parsing time')
  })
})

describe('canonicalMicroTime', () => {
  it('wants exactly six digits', () => {
    expect(canonicalMicroTime('2026-01-02T03:04:05.000001+01:00')).toBe('2026-01-02T02:04:05.000001Z')
    for (const text of ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123Z', '2026-01-02T03:04:05.1234567Z']) {
      expect(() => canonicalMicroTime(text)).toThrow('as "2006-01-02T15:04:05.000000Z07:00": cannot parse')
    }
  })
})

describe('moments', () => {
  it('are written to the second and to the microsecond', () => {
    expect(timeOf(1767323045678)).toBe('2026-01-02T03:04:05Z')
    expect(microTimeOf(1767323045678)).toBe('2026-01-02T03:04:05.678000Z')
    expect(secondsAndNanos('1970-01-01T00:00:01.5Z')).toEqual({ seconds: 1, nanos: 500_000_000 })
  })
})
