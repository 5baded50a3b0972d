import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '#client/client.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'

/** Writers that create objects and count in one of their own, and remember what was answered. */
export interface AcknowledgedWrites {
  /** How many writes were answered. */
  readonly count: number
  /** The longest time in which no write was answered, and when it began. */
  readonly longestGapMs: number
  /** Forgets gaps up to now. */
  forgetGaps(): void
  stop(): Promise<void>
  /** What of the answered writes is not there; empty if nothing was lost. */
  lost(): Promise<string[]>
}

/** Starts `writers` of them in a namespace. A write whose outcome is unknown is not repeated and not counted. */
export function startWriting(client: Client, namespace: string, writers: number): AcknowledgedWrites {
  const created = new Set<string>()
  const counted = new Map<string, number>()
  let isStopped = false
  let count = 0
  let lastMs = performance.now()
  let longestGapMs = 0
  const answered = () => {
    count++
    const now = performance.now()
    longestGapMs = Math.max(longestGapMs, now - lastMs)
    lastMs = now
  }
  const write = async (writer: number) => {
    const counter = `counter-${writer}`
    await client.create(ConfigMap, { metadata: { namespace, name: counter }, data: { value: '0' } })
    for (let attempt = 1; !isStopped; attempt++) {
      const name = `w${writer}-${attempt}`
      try {
        await client.create(ConfigMap, { metadata: { namespace, name }, data: { writer: String(writer) } })
        created.add(name)
        answered()
        await client.patch(ConfigMap, { namespace, name: counter }, { type: 'merge', body: { data: { value: String(attempt) } } })
        counted.set(counter, attempt)
        answered()
      } catch {
        await delay(100)
      }
      await delay(20)
    }
  }
  const running = Array.from({ length: writers }, (_, writer) => write(writer))
  return {
    get count() {
      return count
    },
    get longestGapMs() {
      return Math.max(longestGapMs, performance.now() - lastMs)
    },
    forgetGaps() {
      longestGapMs = 0
      lastMs = performance.now()
    },
    async stop() {
      isStopped = true
      await Promise.all(running)
    },
    async lost() {
      const { items } = await client.list(ConfigMap, { namespace })
      const present = new Map(items.map(object => [object.metadata.name!, object]))
      const missing = [...created].filter(name => !present.has(name))
      const behind = [...counted].filter(([name, value]) => Number(present.get(name)?.data?.['value'] ?? -1) < value)
      return [
        ...missing,
        ...behind.map(([name, value]) => `${name}: ${value} was answered, ${present.get(name)?.data?.['value']} is there`),
      ]
    },
  }
}
