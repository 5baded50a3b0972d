import { describe, expect, it } from 'vitest'
import { deviceSelectorError, matchesDeviceSelector } from './device-selectors.ts'

const device = {
  driver: 'gpu.example.com',
  device: {
    attributes: {
      model: { string: 'a100' },
      'other.example.com/numa': { int: 1 },
      driverVersion: { version: '1.2.3' },
      healthy: { bool: true },
    },
    capacity: { memory: { value: '40Gi' } },
  },
}

describe('selectors of devices', () => {
  it.each([
    ["device.driver == 'gpu.example.com' && device.attributes['gpu.example.com'].model == 'a100'", true],
    ["device.attributes['other.example.com'].numa == 1 && device.attributes['gpu.example.com'].healthy", true],
    ["device.capacity['gpu.example.com'].memory.compareTo(quantity('20Gi')) > 0", true],
    ["device.attributes['gpu.example.com'].driverVersion.isGreaterThan(semver('1.0.0'))", true],
    ["'x' in device.attributes['nowhere.example.com']", false],
    ["cel.bind(d, device.attributes['gpu.example.com'], d.model.startsWith('b'))", false],
  ])('%s is %s', (expression, expected) => {
    expect(matchesDeviceSelector(expression, device)).toBe(expected)
  })

  it('says of which attribute there is none', () => {
    expect(() => matchesDeviceSelector("device.attributes['gpu.example.com'].color == 'red'", device)).toThrow('no such key: color')
  })

  it('refuses what is no condition, and what would cost too much', () => {
    expect(deviceSelectorError('device.driver')).toEqual({
      type: 'invalid',
      detail: 'must evaluate to bool or the unknown type, not string',
    })
    expect(deviceSelectorError('noSuch')?.detail).toMatch(/^compilation failed: ERROR: <input>:1:1: undeclared reference to 'noSuch'/)
    const costly =
      'device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a != b && c != d))))'
    expect(deviceSelectorError(costly)).toEqual({ type: 'forbidden', detail: 'too complex, exceeds cost limit' })
  })
})
