import { connect } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { type ApiServerProcess, ask, askOn } from '../support/api-server-process.ts'
import { attack } from './attack.ts'

/* Attacks by what a request carries. */

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

attack({
  does: 'puts a key named __proto__ where it changes what an object inherits',
  without: [
    {
      file: 'machinery/schema/decode.ts',
      guard:
        "if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })\n  else target[key] = value",
      instead: 'target[key] = value',
    },
  ],
  async attempt(server) {
    const raw = '{"metadata":{"name":"a"},"data":{"__proto__":"1","constructor":"2"}}'
    const session = connect(server.url, { ca: server.authority })
    const { text } = await askOn(session, 'POST', CONFIG_MAPS, { token: 'admin', body: JSON.parse(raw) })
    session.close()
    const data = JSON.parse(text).data ?? {}
    return !Object.hasOwn(data, '__proto__') || !Object.hasOwn(data, 'constructor')
  },
})

attack({
  does: 'has a server match a pattern that explodes',
  without: [
    { file: 'machinery/structural/pattern.ts', guard: 'pattern = RE2JS.compile(source)', instead: 'pattern = explosive(source)' },
    {
      file: 'machinery/structural/pattern.ts',
      guard: 'const PATTERNS_LIMIT = 1000',
      instead: `const PATTERNS_LIMIT = 1000
function explosive(source: string): any {
  const pattern = new RegExp(source)
  return { matcher: (text: string) => ({ find: () => pattern.test(text) }), test: (text: string) => pattern.test(text), matches: (text: string) => pattern.test(text) }
}`,
    },
  ],
  async attempt(server) {
    const schema = {
      type: 'object',
      properties: { spec: { type: 'object', properties: { name: { type: 'string', pattern: '^(a+)+$' } } } },
    }
    await create(server, '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: 'words.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'words', kind: 'Word' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    })
    const word = { apiVersion: 'example.com/v1', kind: 'Word', metadata: { name: 'a' }, spec: { name: `${'a'.repeat(60)}!` } }
    await served(server, '/apis/example.com/v1/words')
    const asked = ask(server, 'POST', '/apis/example.com/v1/words', { token: 'admin', body: word }).catch(() => undefined)
    const answer = await Promise.race([asked, delay(5000).then(() => undefined)])
    return answer?.status !== 422
  },
})

attack({
  does: 'sends a body that is larger than any object',
  without: [
    {
      file: 'apiserver/http/request-bodies.ts',
      guard: 'const BODY_LIMIT = 3 * 1024 * 1024',
      instead: 'const BODY_LIMIT = 3e9',
    },
  ],
  async attempt(server) {
    const body = { metadata: { name: 'large', annotations: { a: 'x' } }, data: { k: 'y'.repeat(6 * 1024 * 1024) } }
    return (await ask(server, 'POST', CONFIG_MAPS, { token: 'admin', body })).status !== 413
  },
})

attack({
  does: 'sends a JSON patch of more operations than any change needs',
  without: [
    { file: 'machinery/patch/json-patch.ts', guard: 'export const MAX_OPERATIONS = 10_000', instead: 'export const MAX_OPERATIONS = 1e9' },
  ],
  async attempt(server) {
    await create(server, CONFIG_MAPS, { metadata: { name: 'patched' }, data: { k: 'v' } })
    const body = Array.from({ length: 20_000 }, () => ({ op: 'test', path: '/data/k', value: 'v' }))
    const headers = { 'content-type': 'application/json-patch+json' }
    return (await ask(server, 'PATCH', `${CONFIG_MAPS}/patched`, { token: 'admin', body, headers })).status !== 413
  },
})

async function create(server: ApiServerProcess, path: string, body: object): Promise<void> {
  const { status, text } = await ask(server, 'POST', path, { token: 'admin', body })
  if (status !== 201) throw new Error(`${path}: ${status} ${text}`)
}

/** Waits until a path is served. */
async function served(server: ApiServerProcess, path: string): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if ((await ask(server, 'GET', path, { token: 'admin' })).status === 200) return
    await delay(50)
  }
  throw new Error(`${path} is not served`)
}
