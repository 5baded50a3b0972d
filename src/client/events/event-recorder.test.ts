import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { Event } from '#kinds/core/v1/event.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { FakeApi } from '../fake/fake-api.ts'
import { eventRecorder } from './event-recorder.ts'

function start() {
  const clock = virtualClock()
  const api = new FakeApi(clock)
  const pod = api.put(Pod, { metadata: { name: 'web', namespace: 'default' }, spec: { containers: [] } })
  const recorder = eventRecorder({ client: api.client(), clock, log: silentLogger, component: 'tester' })
  return { clock, api, pod, recorder, events: () => api.all(Event) }
}

describe('an event recorder', () => {
  it('writes an event as upstream does', async () => {
    const { clock, pod, recorder, events } = start()
    recorder.record(pod, 'Normal', 'Started', 'Started container')
    await clock.advance(0)
    expect(events()).toMatchObject([
      {
        involvedObject: { kind: 'Pod', namespace: 'default', name: 'web', uid: pod.metadata.uid, apiVersion: 'v1' },
        reason: 'Started',
        message: 'Started container',
        source: { component: 'tester' },
        type: 'Normal',
        count: 1,
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:00Z',
        reportingComponent: 'tester',
      },
    ])
    expect(events()[0]!.metadata.name).toMatch(/^web\.[0-9a-f]{16}$/)
  })

  it('counts an event that repeats itself', async () => {
    const { clock, pod, recorder, events } = start()
    for (let index = 0; index < 3; index++) {
      recorder.record(pod, 'Warning', 'BackOff', 'Back-off restarting')
      await clock.advance(10_000)
    }
    expect(events()).toMatchObject([{ count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:20Z' }])
  })

  it('combines events that differ only in their message once there are ten', async () => {
    const { clock, pod, recorder, events } = start()
    for (let index = 0; index < 14; index++) recorder.record(pod, 'Normal', 'Pulled', `image ${index}`)
    await clock.advance(0)
    expect(events()).toHaveLength(10)
    expect(events().at(-1)).toMatchObject({ message: '(combined from similar events): image 13', count: 5 })
  })

  it('does not let one object flood the server', async () => {
    const { clock, pod, recorder, api } = start()
    for (let index = 0; index < 100; index++) recorder.record(pod, 'Normal', `Reason${index}`, 'x')
    await clock.advance(0)
    expect(api.writes).toHaveLength(25)
    await clock.advance(300_000)
    recorder.record(pod, 'Normal', 'Later', 'x')
    await clock.advance(0)
    expect(api.writes).toHaveLength(26)
  })

  it('writes a new event when the old one has expired', async () => {
    const { clock, pod, recorder, api, events } = start()
    recorder.record(pod, 'Normal', 'Started', 'x')
    await clock.advance(0)
    api.remove(Event, events()[0]!.metadata.name!)
    await clock.advance(3600_000)
    recorder.record(pod, 'Normal', 'Started', 'x')
    await clock.advance(0)
    expect(events()).toMatchObject([{ count: 2 }])
  })

  it('goes on after a failure', async () => {
    const { clock, pod, recorder, api, events } = start()
    api.faults = {
      before() {
        throw new Error('no')
      },
    }
    recorder.record(pod, 'Normal', 'First', 'x')
    await clock.advance(0)
    api.faults = {}
    recorder.record(pod, 'Normal', 'Second', 'x')
    await clock.advance(0)
    expect(events().map(({ reason }) => reason)).toEqual(['Second'])
  })
})
