import { describe, expect, it } from 'vitest'
import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { decodeObject } from '../registry/body.ts'
import { type IncludeObject, tableOf } from './table.ts'
import { tableJson } from './table-json.ts'

const CREATED = '2026-01-01T00:00:00Z'
const DAY_MS = 86_400_000
const annotations = { 'deployment.kubernetes.io/revision': '2', quoted: 'a "brace" } \\ { and <html> ä' }

const samples: [AnyKind, object][] = [
  [ConfigMap, { data: { a: 'b' } }],
  [Pod, { spec: { containers: [{ name: 'c', image: 'i' }] }, status: { phase: 'Succeeded' } }],
  [
    Deployment,
    { spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [] } } } },
  ],
]

describe.each(samples)('the JSON of a table of %o', (kind, body) => {
  const named = (name: string) =>
    decodeObject(kind, { metadata: { name, namespace: 'ns', creationTimestamp: CREATED, resourceVersion: '7', annotations }, ...body })
  it.each<[IncludeObject, number]>([
    ['Metadata', 3],
    ['Object', 2],
    ['None', 2],
    ['Metadata', 0],
  ])('is the table, whatever of the objects it includes and whenever it is asked for (%s of %i)', (includeObject, count) => {
    const items: ApiObject[] = Array.from({ length: count }, (_, index) => named(`o${index}`))
    const metadata = { resourceVersion: '9' }
    const times = [1, 1, 400, 1].map(days => Date.parse(CREATED) + days * DAY_MS)
    for (const [now, version] of times.flatMap(now => [[now, 'v1'] as const, [now, 'v1beta1'] as const])) {
      const options = { includeObject, version, now }
      const text = Buffer.concat(tableJson(kind, { metadata, items }, options)).toString()
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(tableOf(kind, items, metadata, options))))
      expect(text.endsWith(']}\n')).toBe(true)
    }
  })
})

describe('the JSON of a table', () => {
  it('is the table where the metadata of only some objects is shown as it is kept', () => {
    const [kind, body] = samples[2]!
    const items = [annotations, undefined, undefined, annotations, undefined].map((own, index) =>
      decodeObject(kind, { metadata: { name: `o${index}`, namespace: 'ns', ...(own ? { annotations: own } : {}) }, ...body }),
    )
    const options = { includeObject: 'Metadata', version: 'v1', now: 0 } as const
    for (const shown of [items, [...items].reverse(), items.slice(1, 3), items.slice(3, 4)]) {
      const text = Buffer.concat(tableJson(kind, { metadata: {}, items: shown }, options)).toString()
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(tableOf(kind, shown, {}, options))))
    }
  })
})
