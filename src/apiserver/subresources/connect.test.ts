import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { directClient } from '#client/direct/direct-client.ts'
import { Endpoints } from '#kinds/core/v1/endpoints.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { type ApiServer, createApiServer } from '../api-server.ts'
import { alwaysAllow } from '../authorization/always.ts'
import type { Handler } from '../handler.ts'
import type { ConnectSubresource, Destination } from './connect.ts'
import { nodeProxy } from './node-proxy.ts'
import { podExec } from './pod-exec.ts'
import { podLog } from './pod-log.ts'
import { podPortForward } from './pod-port-forward.ts'
import { podProxy } from './pod-proxy.ts'
import { checkProxied } from './proxied-name.ts'
import { serviceProxy } from './service-proxy.ts'

let server: ApiServer
let client: Client
let store: MemoryStore

beforeEach(async () => {
  const clock = virtualClock()
  store = new MemoryStore({ clock })
  server = createApiServer({ store, kinds: builtInKinds, clock, random: seededRandom(1), log: silentLogger, authorizer: alwaysAllow })
  client = directClient(server.handler, { user: { name: 'admin', groups: ['system:masters'] }, userAgent: 'test/1' })
  await server.ready()
})

afterEach(async () => {
  await server.stop()
  await store.close()
})

const container = (name: string, ports: readonly number[] = []) => ({
  name,
  image: 'x',
  ports: ports.map(containerPort => ({ containerPort })),
})

async function createPod(name: string, spec: { nodeName?: string; containers: ReturnType<typeof container>[] }, podIP?: string) {
  const made = await client.create(Pod, { metadata: { namespace: 'default', name }, spec })
  if (podIP) await client.updateStatus(Pod, { ...made, status: { ...made.status, podIP, podIPs: [{ ip: podIP }] } })
}

function locate(of: ConnectSubresource, name: string, query = '', path = ''): Promise<Destination | undefined> {
  const { core } = server.handler as Handler
  const namespace = of.resource === 'nodes' ? '' : 'default'
  return of.locate(core, { namespace, name, path, query: new URLSearchParams(query) })
}

describe('logs, exec and port-forward', () => {
  it('lead to the kubelet of the pod, under its names', async () => {
    await createPod('p', { nodeName: 'n', containers: [container('c')] })
    const log = await locate(podLog, 'p', 'follow=true&tailLines=5&sinceTime=2026-11-20T12:00:00Z&pretty=true')
    expect(log).toMatchObject({ to: 'kubelet', node: 'n', path: '/containerLogs/default/p/c' })
    expect(String((log as { query: URLSearchParams }).query)).toBe('follow=true&tailLines=5&sinceTime=2026-11-20T12%3A00%3A00Z')
    const exec = await locate(podExec, 'p', 'stdin=true&stdout=true&stderr=false&command=sh&command=-c')
    expect(exec).toMatchObject({ node: 'n', path: '/exec/default/p/c' })
    expect(String((exec as { query: URLSearchParams }).query)).toBe('input=1&output=1&command=sh&command=-c')
    const forward = await locate(podPortForward, 'p', 'ports=80&ports=81')
    expect(String((forward as { query: URLSearchParams }).query)).toBe('port=80%2C81')
  })

  it('want to know which container, unless there is one', async () => {
    await createPod('p', { nodeName: 'n', containers: [container('a'), container('b')] })
    await expect(locate(podLog, 'p')).rejects.toThrow('a container name must be specified for pod p, choose one of: [a b]')
    await expect(locate(podExec, 'p', 'container=z')).rejects.toThrow('container z is not valid for pod p')
    expect(await locate(podLog, 'p', 'container=b')).toMatchObject({ path: '/containerLogs/default/p/b' })
  })

  it('find an empty log and no command where the pod is on no node', async () => {
    await createPod('p', { containers: [container('c')] })
    expect(await locate(podLog, 'p')).toBeUndefined()
    await expect(locate(podExec, 'p')).rejects.toThrow('pod p does not have a host assigned')
  })

  it.each([
    ['tailLines=-1', 'tailLines: Invalid value: -1: must be greater than or equal to 0'],
    ['limitBytes=0', 'limitBytes: Invalid value: 0: must be greater than 0'],
    ['sinceSeconds=1&sinceTime=2026-11-20T12:00:00Z', 'at most one of `sinceTime` or `sinceSeconds` may be specified'],
    ['stream=Nowhere', 'stream: Unsupported value: "Nowhere"'],
  ])('refuse %s', async (query, message) => {
    await expect(locate(podLog, 'p', query)).rejects.toThrow(message)
  })
})

describe('the proxies', () => {
  it.each([
    ['p', 'http', 8080],
    ['p:9090', 'http', 9090],
    ['https:p:9090', 'https', 9090],
    ['http:p:', 'http', 8080],
  ])('reach a pod as %s', async (name, scheme, port) => {
    await createPod('p', { nodeName: 'n', containers: [container('a'), container('b', [8080])] }, '10.0.0.5')
    expect(await locate(podProxy, name)).toEqual({ to: 'address', scheme, host: '10.0.0.5', port })
  })

  it.each(['127.0.0.1', '169.254.169.254', '::1', 'fe80::1', '224.0.0.1', '0.0.0.0'])(
    'do not lead to %s, whatever a status says',
    async address => {
      await createPod('p', { nodeName: 'n', containers: [container('c', [80])] }, address)
      await expect(locate(podProxy, 'p')).rejects.toThrow('address not allowed')
    },
  )

  it('do not lead to this machine by its address in other words', () => {
    expect(() => checkProxied('::ffff:127.0.0.1')).toThrow('address not allowed')
    expect(() => checkProxied('localhost')).toThrow('address not allowed')
  })

  it.each(['ftp:p:1', 'a:b:c:d', ':80'])('do not take %s for a name', async name => {
    await expect(locate(podProxy, name)).rejects.toThrow('invalid pod request')
  })

  it('reach one of the ready addresses behind a Service, by the number or the name of its port', async () => {
    const ports = [{ name: 'web', port: 80, targetPort: 8080 }]
    await client.create(Service, { metadata: { namespace: 'default', name: 's' }, spec: { selector: { a: 'b' }, ports } })
    const subsets = [{ addresses: [{ ip: '10.0.0.5' }], notReadyAddresses: [{ ip: '10.0.0.6' }], ports: [{ name: 'web', port: 8080 }] }]
    await client.create(Endpoints, { metadata: { namespace: 'default', name: 's' }, subsets })
    expect(await locate(serviceProxy, 's:80')).toEqual({ to: 'address', scheme: 'http', host: '10.0.0.5', port: 8080 })
    expect(await locate(serviceProxy, 'https:s:web')).toMatchObject({ scheme: 'https', port: 8080 })
    await expect(locate(serviceProxy, 's:81')).rejects.toThrow('no service port 81 found for service "s"')
    await expect(locate(serviceProxy, 's')).rejects.toThrow('no endpoints available for service "s"')
  })

  it('reach the kubelet of a node, or another port of it', async () => {
    const made = await client.create(Node, { metadata: { name: 'n' } })
    await client.updateStatus(Node, { ...made, status: { ...made.status, addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] } })
    expect(await locate(nodeProxy, 'n', '', '/stats')).toMatchObject({ to: 'kubelet', node: 'n', path: '/stats' })
    expect(await locate(nodeProxy, 'n:10250', '', '/stats')).toMatchObject({ to: 'kubelet' })
    expect(await locate(nodeProxy, 'n:9100')).toEqual({ to: 'address', scheme: 'http', host: '10.0.0.1', port: 9100 })
  })

  it.each([
    ['/exec/ns/p/c', 'create'],
    ['//exec/ns/p/c', 'create'],
    ['/x/../%65xec/ns/p/c', 'create'],
    ['/run/ns/p/c', 'create'],
    ['/portForward/ns/p', 'create'],
    ['/metrics', undefined],
    ['', undefined],
  ])('to %s of a kubelet needs %s', (path, verb) => {
    expect(nodeProxy.alsoNeeds!({ namespace: '', name: 'n', path, query: new URLSearchParams() })).toBe(verb)
  })
})
