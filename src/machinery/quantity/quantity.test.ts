import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalQuantity, isSameQuantity, milliOf, Quantity, wholeValueOf } from './quantity.ts'

describe('canonicalQuantity', () => {
  it.each([
    ['1', '1'],
    ['1.0', '1'],
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1e3', '1e3'],
    ['1E3', '1E3'],
    ['10e2', '1e3'],
    ['1Ki', '1Ki'],
    ['1024', '1024'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['0.5Ki', '512'],
    ['0.0001Ki', '102400u'],
    ['0', '0'],
    ['-0', '0'],
    ['.5', '500m'],
    ['5.', '5.'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['999999999999999999999', '999999999999999999999'],
    ['+1', '+1'],
    ['-1500m', '-1500m'],
    ['-1000m', '-1'],
    ['1000k', '1M'],
    ['0.1m', '100u'],
    ['123456789.123456789', '123456789.123456789'],
    ['1.23456789', '1234567890n'],
    ['1.0625', '1062500u'],
    ['100Ei', '9223372036854775807'],
    ['1e-1000000', '1e-9'],
    ['1e1000000000', '10e999999999'],
    ['12e1', '120'],
    [' 1 ', '1'],
  ])('writes %j as %j', (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical))

  it.each(['', '1_000', '1 Gi', '0x10', 'abc', '1.2.3', '1gi'])('refuses %j', text => {
    expect(() => canonicalQuantity(text)).toThrow(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    )
  })

  it.each(['--1', '1mm', '1e', '1KiKi', '1-2'])('refuses the suffix of %j', text => {
    expect(() => canonicalQuantity(text)).toThrow("unable to parse quantity's suffix")
  })

  it('is stable, and keeps the amount', () => {
    const text = fc
      .tuple(
        fc.constantFrom('', '-'),
        fc.nat(2 ** 31 - 1),
        fc.option(fc.nat(9999)),
        fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3', 'E-2'),
      )
      .map(([sign, integer, fraction, suffix]) => `${sign}${integer}${fraction === null ? '' : `.${fraction}`}${suffix}`)
    fc.assert(
      fc.property(text, sent => {
        const canonical = canonicalQuantity(sent)
        expect(canonicalQuantity(canonical)).toBe(canonical)
        expect(isSameQuantity(canonical, sent)).toBe(true)
      }),
    )
  })

  it('takes a megabyte of digits in its stride', () => {
    const digits = '9'.repeat(1_000_000)
    const started = performance.now()
    for (const text of [digits, `0.${digits}`, `${digits}Ki`, `0.${digits}Ki`, `${digits}x`]) {
      try {
        canonicalQuantity(text)
      } catch {
        // Only the time counts here.
      }
    }
    expect(performance.now() - started).toBeLessThan(1000)
  })
})

describe('Quantity', () => {
  it('adds and compares exactly', () => {
    expect(Quantity.parse('0.1').add(Quantity.parse('0.2')).toString()).toBe('300m')
    expect(Quantity.parse('1Gi').add(Quantity.parse('1Mi')).toString()).toBe('1025Mi')
    expect(Quantity.parse('1').subtract(Quantity.parse('1500m')).toString()).toBe('-500m')
    expect(Quantity.ZERO.add(Quantity.parse('1Gi')).toString()).toBe('1Gi')
    expect(Quantity.parse('1Gi').compare(Quantity.parse('1G'))).toBe(1)
    expect(Quantity.parse('1e1000000000').compare(Quantity.parse('1'))).toBe(1)
  })

  it('rounds away from zero', () => {
    expect(Quantity.parse('123456789.123456789').roundUp(-3).toString()).toBe('123456789124m')
    expect(Quantity.parse('1n').roundUp(-3).toString()).toBe('1m')
    expect(Quantity.parse('1500m').toNumber()).toBe(2)
    expect(Quantity.parse('-1500m').toNumber()).toBe(-2)
  })

  it('reads numbers for the scheduler', () => {
    expect([milliOf('2'), milliOf('250m'), milliOf('1.5'), milliOf('1u')]).toEqual([2000, 250, 1500, 1])
    expect([wholeValueOf('1Gi'), wholeValueOf('128Mi'), wholeValueOf('1G'), wholeValueOf('3'), wholeValueOf('1500m')]).toEqual([
      1073741824, 134217728, 1e9, 3, 2,
    ])
  })
})
