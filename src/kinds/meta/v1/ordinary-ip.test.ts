import { expect, it } from 'vitest'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateOrdinaryIP } from './ip.ts'

it.each(['127.0.0.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '169.254.169.254', '::ffff:a9fe:a9fe', 'fe80::1', '::', '0.0.0.0'])(
  '%s is no address of an endpoint',
  address => {
    expect(problemsOf(address)).toBe(1)
  },
)

it.each(['10.0.0.1', '2001:db8::1', '::ffff:10.0.0.1'])('%s may be an address of an endpoint', address => {
  expect(problemsOf(address)).toBe(0)
})

function problemsOf(address: string): number {
  const errors = new FieldErrors()
  validateOrdinaryIP(address, errors)
  return errors.all.length
}
