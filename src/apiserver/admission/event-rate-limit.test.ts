import { expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { Event } from '#kinds/core/v1/event.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Event as NewEvent } from '#kinds/events/v1/event.ts'
import type { AdmissionRequest } from './admission.ts'
import { eventRateLimit } from './event-rate-limit.ts'

const clock = virtualClock(0)
const event = (more: object = {}) =>
  ({
    operation: 'CREATE',
    kind: Event,
    subresource: '',
    namespace: 'shop',
    name: 'x',
    object: { source: { component: 'kubelet', host: 'n1' }, involvedObject: { kind: 'Pod', namespace: 'shop', name: 'p' } },
    user: { name: 'ann', groups: [] },
    ...more,
  }) as unknown as AdmissionRequest
const limited = (...limits: object[]) => {
  const { validate } = eventRateLimit({ limits: limits.map(one => ({ qps: 1, burst: 2, ...one })) as never }, clock)
  return (more?: object): void => void validate!(event(more))
}

it('lets so many events through at once, and so many in the long run', async () => {
  const write = limited({ type: 'Server' })
  write()
  write()
  expect(write).toThrow(
    expect.objectContaining({ code: 429, reason: 'TooManyRequests', message: 'Too many requests: limit reached on type Server for key ' }),
  )
  await clock.advance(1000)
  write()
  expect(write).toThrow('limit reached')
  await clock.advance(3_600_000)
  write()
  write()
  expect(write).toThrow('limit reached')
})

it('counts for each namespace, user, or source and object apart', () => {
  for (const [type, key, other] of [
    ['Namespace', 'shop', { namespace: 'bank' }],
    ['User', 'ann', { user: { name: 'ben' } }],
    ['SourceAndObject', 'kubeletn1Podshopp', { object: { source: { component: 'other' } } }],
  ] as const) {
    const write = limited({ type })
    write()
    write()
    expect(write).toThrow(`limit reached on type ${type} for key ${key}`)
    write(other)
  }
})

it('counts events of the newer group with those of the older', () => {
  const write = limited({ type: 'SourceAndObject' })
  const { source, involvedObject } = event().object as unknown as Record<string, object>
  write()
  write({ kind: NewEvent, object: { deprecatedSource: source, regarding: involvedObject } })
  expect(write).toThrow('limit reached')
})

it('forgets whom it has not seen for the longest when there are too many', () => {
  const write = limited({ type: 'User', cacheSize: 1, burst: 1 })
  write()
  write({ user: { name: 'ben' } })
  write()
  expect(write).toThrow('for key ann')
})

it('looks at nothing but events that are written', () => {
  const write = limited({ type: 'Server', burst: 1 })
  write()
  write({ operation: 'DELETE' })
  write({ kind: Pod })
  expect(write).toThrow('limit reached')
})
