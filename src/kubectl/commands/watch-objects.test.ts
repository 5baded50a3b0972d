import { expect, it } from 'vitest'
import type { HttpClient } from '#client/http/http-client.ts'
import type { Resource } from '../resource-mapper.ts'
import { watchObjects } from './watch-objects.ts'

const pods: Resource = {
  group: '',
  version: 'v1',
  name: 'pods',
  kind: 'Pod',
  isNamespaced: true,
  names: new Set(['pods']),
  categories: [],
  verbs: ['list', 'watch'],
}
const row = (name: string, resourceVersion: string) => ({ cells: [name], object: { metadata: { name, resourceVersion } } })
const table = (resourceVersion: string, ...rows: object[]) => ({ kind: 'Table', metadata: { resourceVersion }, rows })
const columnDefinitions = [{ name: 'Name', priority: 0 }]

/** A server whose watches each tell some lines and end. */
function start(watches: readonly object[][]) {
  const stop = new AbortController()
  const requests: URL[] = []
  let printed = ''
  const client = {
    raw: async () => JSON.stringify({ ...table('10', row('a', '7')), columnDefinitions }),
    async download(path: string, sink: (chunk: Buffer) => void) {
      const events = watches[requests.push(new URL(path, 'http://server')) - 1]
      if (!events) return stop.abort()
      for (const event of events) sink(Buffer.from(`${JSON.stringify(event)}\n`))
    },
  } as unknown as HttpClient
  const context = { signal: stop.signal, stdout: { write: (text: string) => (printed += text) } }
  const watching = watchObjects({ resource: pods, object: '' }, { client, namespace: '', flags: { headers: true, watch: true }, context })
  return { watching, requests, printed: () => printed }
}

it('a watch that the server ends goes on after what was seen last, a bookmark too', async () => {
  const test = start([
    [
      { type: 'ADDED', object: { ...table('12', row('b', '12')), columnDefinitions } },
      { type: 'MODIFIED', object: table('', row('b', '13')) },
      { type: 'BOOKMARK', object: table('20') },
    ],
    [{ type: 'DELETED', object: table('21', row('a', '21')) }],
  ])
  await test.watching
  expect(test.requests.map(({ searchParams }) => searchParams.get('resourceVersion'))).toEqual(['10', '20', '21'])
  expect(test.printed()).toBe('NAME\na\nb\nb\na\n')
})

it('a watch that cannot go on says why', async () => {
  const test = start([[{ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } }]])
  await expect(test.watching).rejects.toMatchObject({ code: 410, message: 'too old resource version' })
  expect(test.requests).toHaveLength(1)
})
