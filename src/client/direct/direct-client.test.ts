import { virtualClock } from '#base/time/virtual-clock.ts'
import { clientSuite } from '../client.suite.ts'
import { FakeApi } from '../fake/fake-api.ts'
import { fakeHandler } from '../fake/fake-handler.ts'
import { directClient } from './direct-client.ts'

clientSuite('the direct transport', async () => {
  const clock = virtualClock()
  const api = new FakeApi(clock)
  return {
    api,
    client: directClient(fakeHandler(api), { user: { name: 'admin', groups: [] } }),
    settle: () => clock.advance(0),
    async [Symbol.asyncDispose]() {},
  }
})
