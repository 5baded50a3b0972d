import { connect } from 'node:http2'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ApiServerProcess, askOn, startApiServerProcess } from '../support/api-server-process.ts'

let server: ApiServerProcess

beforeAll(async () => {
  server = await startApiServerProcess({ tokens: { admin: ['admin', 'system:masters'] }, flags: ['--request-timeout=1s'] })
}, 60_000)

afterAll(() => server[Symbol.asyncDispose]())

it('a request whose body does not come is answered 504 once its time is over, and the connection goes on', async () => {
  const session = connect(server.url, { ca: server.authority })
  const stream = session.request({
    ':method': 'POST',
    ':path': '/api/v1/namespaces/default/configmaps',
    authorization: 'Bearer admin',
    'content-type': 'application/json',
  })
  stream.write('{"metadata":')
  const status = await new Promise(resolve => stream.once('response', head => resolve(head[':status'])))
  stream.resume()
  expect(status).toBe(504)
  stream.close()
  expect((await askOn(session, 'GET', '/version', { token: 'admin' })).status).toBe(200)
  session.close()
})

it('a watch lasts longer than a request may', async () => {
  const session = connect(server.url, { ca: server.authority })
  const stream = session.request({ ':path': '/api/v1/namespaces?watch=true&timeoutSeconds=3', authorization: 'Bearer admin' })
  const begin = performance.now()
  stream.resume()
  await new Promise(resolve => stream.once('end', resolve))
  expect(performance.now() - begin).toBeGreaterThan(2500)
  session.close()
})
