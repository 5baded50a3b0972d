import { expect, it } from 'vitest'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { PENDING_LIMIT_BYTES, WatchStream } from './watch-stream.ts'

it('[W11] a watch whose client is too slow is cut off, and hears nothing more', () => {
  let [frames, ends, told] = [0, 0, 0]
  const sink = { pendingBytes: 0, write: () => void frames++, end: () => void ends++ }
  const stream = new WatchStream(sink, {
    kind: ConfigMap,
    form: { encoding: 'json', as: '', asVersion: '', isPretty: false },
    table: () => ({ includeObject: 'None', version: 'v1', now: 0 }),
    framer: undefined,
    clock: virtualClock(0),
    timeoutMs: 0,
    lastBookmark: undefined,
    ended: () => void told++,
  })
  const object = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', resourceVersion: '7' } }
  const event = { type: 'ADDED', object, revision: 7 } as const
  stream.events([event])
  sink.pendingBytes = PENDING_LIMIT_BYTES + 1
  stream.events([event])
  stream.events([event])
  expect([frames, ends, told]).toEqual([2, 1, 1])
})
