import { describe, expect, it } from 'vitest'
import { contains, parseCIDR, parseIP, textOfIP } from './ip.ts'

describe('addresses', () => {
  const canonical: [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:DB8:0:0::0001', '2001:db8::1'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ]
  for (const [text, expected] of canonical) it(`reads ${text} as ${expected}`, () => expect(textOfIP(parseIP(text)!)).toBe(expected))

  for (const text of [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4.5',
    ':',
    ':::',
    '1:2',
    '1::2::3',
    '12345::',
    'g::',
    '1:2:3:4:5:6:7:8:9',
    '::1%eth0',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(parseIP(text)).toBeUndefined())
  }
})

describe('ranges', () => {
  it('contain addresses that share their prefix, and of their family only', () => {
    const range = parseCIDR('10.96.0.0/12')!
    expect(contains(range, parseIP('10.111.255.255')!)).toBe(true)
    expect(contains(range, parseIP('10.112.0.0')!)).toBe(false)
    expect(contains(range, parseIP('::1')!)).toBe(false)
    expect(contains(parseCIDR('::/0')!, parseIP('::1')!)).toBe(true)
  })

  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '::/129', '/8']) {
    it(`refuse ${text}`, () => expect(parseCIDR(text)).toBeUndefined())
  }
})
