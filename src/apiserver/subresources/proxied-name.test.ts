import { expect, it } from 'vitest'
import { checkProxied } from './proxied-name.ts'

it.each([
  '127.0.0.1',
  '0.0.0.0',
  '169.254.169.254',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  'fe80::1',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '0:0:0:0:0:ffff:7f00:0001',
  '::FFFF:A9FE:A9FE',
  'localhost',
])('nothing is passed on to %s', address => {
  expect(() => checkProxied(address)).toThrow('address not allowed')
})

it.each(['10.0.0.1', '192.168.1.1', '8.8.8.8', '2001:db8::1', 'fd00::1', '::ffff:10.0.0.1'])('requests are passed on to %s', address => {
  expect(() => checkProxied(address)).not.toThrow()
})
