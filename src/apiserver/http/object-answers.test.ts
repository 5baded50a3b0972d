import { describe, expect, it } from 'vitest'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { nodeGzip } from './compression.ts'
import type { Negotiated } from './negotiation.ts'
import { ObjectAnswers } from './object-answers.ts'
import { protobuf } from './protobuf.ts'
import type { RequestContext } from './request-context.ts'

const COUNT = 2000

/** Answers with a list on a clock that goes on by a millisecond whenever somebody looks at it. */
async function list(form: Partial<Negotiated>) {
  let nowMs = 0
  let pauses = 0
  const answers = new ObjectAnswers({
    clock: { now: () => 0, monotonic: () => nowMs++ } as never,
    protobuf,
    gzip: nodeGzip,
    loop: {
      afterOthers(callback) {
        pauses++
        setImmediate(callback)
      },
    },
  })
  const items = Array.from({ length: COUNT }, (_, index) => ({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: `c${index}`, namespace: 'default', resourceVersion: String(index + 1) },
    data: { at: String(index) },
  })) as unknown as ApiObject[]
  let sent: { bytes: Uint8Array | readonly Uint8Array[] } | undefined
  const context = {
    form: { as: '', asVersion: 'v1', encoding: 'json', isPretty: false, ...form },
    exchange: { method: 'GET', headers: {} },
    send(_status: number, rendered: typeof sent) {
      sent = rendered
    },
  } as unknown as RequestContext
  await answers.list(context, ConfigMap, { metadata: { resourceVersion: '9' }, items }, new URLSearchParams() as never)
  const { bytes } = sent!
  return { pauses, bytes: bytes instanceof Uint8Array ? bytes : Buffer.concat([...bytes]) }
}

describe('a long list', () => {
  it.each(['json', 'protobuf'] as const)('is made in slices as %s: others are listened to meanwhile', async encoding => {
    const { pauses, bytes } = await list({ encoding })
    // The clock is looked at for every 64 objects; a slice is 5 ms.
    expect(pauses).toBe(6)
    if (encoding === 'json') {
      const { items } = JSON.parse(Buffer.from(bytes).toString()) as { items: { data: { at: string } }[] }
      expect(items.map(({ data }) => Number(data.at))).toEqual(Array.from({ length: COUNT }, (_, index) => index))
    } else expect(bytes.length).toBeGreaterThan(COUNT * 20)
  })

  it('is made in slices as a table, too', async () => {
    const { pauses, bytes } = await list({ as: 'Table' })
    expect(pauses).toBe(6)
    expect((JSON.parse(Buffer.from(bytes).toString()) as { rows: unknown[] }).rows).toHaveLength(COUNT)
  })
})
