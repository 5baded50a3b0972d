import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { type AuditEvent, legacyLine } from './audit-event.ts'
import type { AuditSink } from './audit-sink.ts'
import { batchingSink } from './batching-sink.ts'
import { truncatingSink } from './truncating-sink.ts'
import { webhookSink } from './webhook-sink.ts'

const event = (auditID: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  kind: 'Event',
  apiVersion: 'audit.k8s.io/v1',
  level: 'Metadata',
  auditID,
  stage: 'ResponseComplete',
  requestURI: '/api/v1/pods',
  verb: 'list',
  user: { username: 'alice', groups: ['devs', 'ops'] },
  requestReceivedTimestamp: '2026-11-20T12:00:00.000000Z',
  stageTimestamp: '2026-11-20T12:00:00.001000Z',
  ...more,
})

function collecting(): AuditSink & { readonly batches: string[][]; events: AuditEvent[] } {
  const batches: string[][] = []
  return {
    name: 'test',
    batches,
    events: [],
    async process(events) {
      batches.push(events.map(({ auditID }) => auditID))
      this.events.push(...events)
    },
    async stop() {},
  }
}

describe('batches', () => {
  const batching = { bufferSize: 5, maxBatchSize: 3, maxWaitMs: 1000 }

  it('are sent when they are full, or have waited long enough', async () => {
    const clock = virtualClock()
    const sink = collecting()
    const batched = batchingSink(sink, batching, clock, () => {})
    for (const id of ['a', 'b', 'c']) await batched.process([event(id)])
    expect(sink.batches).toEqual([['a', 'b', 'c']])
    await batched.process([event('d')])
    await clock.advance(999)
    expect(sink.batches).toHaveLength(1)
    await clock.advance(1)
    expect(sink.batches[1]).toEqual(['d'])
  })

  it('lose what does not fit, and say so', async () => {
    const never: AuditSink = { name: 'never', process: () => new Promise(() => {}), stop: async () => {} }
    const batched = batchingSink(never, batching, virtualClock(), () => {})
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) await batched.process([event(id)])
    await expect(batched.process([event('i')])).rejects.toThrow('5 events wait already')
  })

  it('are slowed down', async () => {
    const clock = virtualClock()
    const sink = collecting()
    const batched = batchingSink(sink, { bufferSize: 100, maxBatchSize: 1, maxWaitMs: 0, throttle: { qps: 2, burst: 1 } }, clock, () => {})
    for (const id of ['a', 'b', 'c']) await batched.process([event(id)])
    await clock.advance(0)
    expect(sink.batches).toEqual([['a']])
    await clock.advance(500)
    expect(sink.batches).toEqual([['a'], ['b']])
    await clock.advance(500)
    expect(sink.batches).toHaveLength(3)
  })

  it('are sent to the last event when the server ends', async () => {
    const sink = collecting()
    const batched = batchingSink(sink, batching, virtualClock(), () => {})
    await batched.process([event('a')])
    await batched.stop()
    expect(sink.batches).toEqual([['a']])
  })

  it('that cannot be sent are reported and do not hold up others', async () => {
    let lost = 0
    let fails = true
    const sink = collecting()
    const failing: AuditSink = { ...sink, process: events => (fails ? Promise.reject(new Error('no')) : sink.process(events)) }
    const batched = batchingSink(failing, { ...batching, maxBatchSize: 1 }, virtualClock(), count => {
      lost += count
    })
    await batched.process([event('a')])
    await batched.stop()
    fails = false
    await batched.process([event('b')])
    await batched.stop()
    expect([lost, sink.batches]).toEqual([1, [['b']]])
  })
})

describe('events that are too large', () => {
  it('lose their bodies and say so; batches are divided', async () => {
    const sink = collecting()
    const small = JSON.stringify(event('a')).length + 60
    const truncating = truncatingSink(sink, { maxEventBytes: small, maxBatchBytes: small * 2 - 1 })
    await truncating.process([event('a', { requestObject: { data: 'x'.repeat(1000) } }), event('b')])
    expect(sink.batches).toEqual([['a', 'b']])
    expect(sink.events[0]).toMatchObject({ annotations: { 'audit.k8s.io/truncated': 'true' } })
    expect(sink.events[0]).not.toHaveProperty('requestObject')
    await truncating.process([event('c'), event('d'), event('e')])
    expect(sink.batches.length).toBeGreaterThan(2)
    const huge = event('f', { userAgent: 'x'.repeat(1000) })
    await expect(truncating.process([huge, event('g')])).rejects.toThrow('even without bodies')
    expect(sink.batches.at(-1)).toEqual(['g'])
  })
})

describe('the webhook', () => {
  it('gets an EventList, and is tried again while it is out of order', async () => {
    const clock = virtualClock()
    const answers = [500, 503, 200]
    const bodies: string[] = []
    const sink = webhookSink({
      post: async body => {
        bodies.push(new TextDecoder().decode(body))
        return { status: answers.shift()!, retryAfter: '' }
      },
      initialBackoffMs: 10_000,
      clock,
      log: silentLogger,
    })
    const kept = sink.process([event('a')])
    await clock.advance(10_000)
    await clock.advance(15_000)
    await kept
    expect(bodies).toHaveLength(3)
    expect(JSON.parse(bodies[0]!)).toMatchObject({ kind: 'EventList', apiVersion: 'audit.k8s.io/v1', items: [{ auditID: 'a' }] })
  })

  it('that refuses is not asked again', async () => {
    let calls = 0
    const post = async () => {
      calls++
      return { status: 403, retryAfter: '' }
    }
    const sink = webhookSink({ post, initialBackoffMs: 1, clock: virtualClock(), log: silentLogger })
    await expect(sink.process([event('a')])).rejects.toThrow('did not take the events: it answered 403')
    expect(calls).toBe(1)
  })

  it('that never answers does not keep the server from ending', async () => {
    const clock = virtualClock()
    const post = (_: Uint8Array, signal: AbortSignal) =>
      new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    const sink = webhookSink({ post, initialBackoffMs: 1, clock, log: silentLogger })
    const kept = sink.process([event('a')]).catch((error: Error) => error.message)
    const stopped = sink.stop()
    await clock.advance(5_000)
    await stopped
    expect(await kept).toContain('the server has ended')
  })
})

it('the legacy form is one line', () => {
  expect(legacyLine(event('a', { sourceIPs: ['10.0.0.1'], responseStatus: { metadata: {}, code: 200 } }))).toBe(
    String.raw`2026-11-20T12:00:00.000000Z AUDIT: id="a" stage="ResponseComplete" ip="10.0.0.1" method="list" user="alice" groups="\"devs\",\"ops\"" as="<self>" asgroups="<lookup>" user-agent="" namespace="<none>" uri="/api/v1/pods" response="200"`,
  )
})
