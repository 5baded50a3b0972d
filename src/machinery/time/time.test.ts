import fc from 'fast-check'
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

  it('knows all days and times that there are', () => {
    const month = fc.integer({ min: 0, max: 13 })
    const day = fc.integer({ min: 0, max: 32 })
    const sixty = fc.integer({ min: 57, max: 61 })
    const years = fc.oneof(fc.integer({ min: 0, max: 9999 }), fc.constantFrom(0, 1900, 2000, 2023, 2024, 9999))
    fc.assert(
      fc.property(years, month, day, fc.integer({ min: 20, max: 25 }), sixty, sixty, (year, ...rest) => {
        const [months, days, hour, minute, second] = rest.map(part => String(part).padStart(2, '0'))
        const text = `${String(year).padStart(4, '0')}-${months}-${days}T${hour}:${minute}:${second}Z`
        const ms = Date.parse(text)
        const exists = !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 19) === text.slice(0, 19)
        const micros = text.replace('Z', '.000001Z')
        if (exists) expect([canonicalTime(text), canonicalMicroTime(micros)]).toEqual([text, micros])
        else for (const read of [() => canonicalTime(text), () => canonicalMicroTime(micros)]) expect(read).toThrow('parsing time')
      }),
      { numRuns: 2000 },
    )
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
