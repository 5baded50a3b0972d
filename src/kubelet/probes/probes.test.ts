import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { pod } from '../pods/pod-samples.ts'
import { memoryRuntime } from '../runtime/memory/memory-runtime.ts'
import { RuntimeError } from '../runtime/runtime.ts'
import { probeHttp, probeTcp } from './http-probe.ts'
import { PodProbes } from './pod-probes.ts'
import { ProbeResults } from './probe-results.ts'
import { portOf, probeRunner } from './probe-runner.ts'

const servers: { close(): void }[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(listener: RequestListener): Promise<number> {
  const server: Server = createServer(listener)
  servers.push({
    close() {
      server.closeAllConnections()
      server.close()
    },
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

describe('an HTTP probe', () => {
  const probe = (port: number, path = '/', headers: { name: string; value: string }[] = [], timeoutMs = 5000) =>
    probeHttp({ scheme: 'HTTP', host: '127.0.0.1', port, path, headers }, timeoutMs)

  it.each([
    [200, 'success'],
    [302, 'success'],
    [404, 'failure'],
    [500, 'failure'],
  ])('that is answered with %d is a %s', async (status, result) => {
    const outcome = await probe(await serve((_, response) => response.writeHead(status).end('x')))
    expect(outcome.result).toBe(result)
    if (result === 'failure') expect(outcome.message).toBe(`HTTP probe failed with statuscode: ${status}`)
  })

  it('says who it is, and what it was told to say', async () => {
    let seen = {}
    const port = await serve((request, response) => {
      seen = { agent: request.headers['user-agent'], accept: request.headers.accept, host: request.headers.host, url: request.url }
      response.end()
    })
    await probe(port, '/a?b=c', [{ name: 'host', value: 'x.example' }])
    expect(seen).toEqual({ agent: 'kube-probe/1.36', accept: '*/*', host: 'x.example', url: '/a?b=c' })
  })

  it('follows a redirect on the same host only', async () => {
    const port = await serve((request, response) => {
      if (request.url === '/away') response.writeHead(302, { Location: 'http://elsewhere.example/' }).end()
      else if (request.url === '/') response.writeHead(302, { Location: '/bad' }).end()
      else response.writeHead(500).end()
    })
    expect((await probe(port)).result).toBe('failure')
    expect((await probe(port, '/away')).result).toBe('warning')
  })

  it('does not wait for longer than it may', async () => {
    const port = await serve(() => {})
    expect(await probe(port, '/', [], 30)).toEqual({
      result: 'failure',
      message: `Get "http://127.0.0.1:${port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    })
  })

  it('tells that nobody listens', async () => {
    expect(await probe(1)).toEqual({
      result: 'failure',
      message: 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
    })
  })
})

describe('a TCP probe', () => {
  it('succeeds where somebody listens', async () => {
    const server = createTcpServer().unref()
    servers.push(server)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    expect(await probeTcp('127.0.0.1', (server.address() as AddressInfo).port, 5000)).toEqual({ result: 'success', message: '' })
    expect((await probeTcp('127.0.0.1', 1, 5000)).message).toContain('connection refused')
  })
})

describe('a probe by command', () => {
  const runtime = memoryRuntime(virtualClock())
  const run = () => {
    const of = pod([{ name: 'a', livenessProbe: { exec: { command: ['check', 'it'] } } }])
    const [container] = of.spec.containers
    return probeRunner(runtime, () => 0)({ pod: of, container: container!, containerId: 'c', probe: container!.livenessProbe!, podIP: '' })
  }

  it('goes by the exit code, and tells what was written', async () => {
    runtime.onExec = () => ({ exitCode: 1, stdout: 'no ', stderr: 'good' })
    expect(await run()).toEqual({ result: 'failure', message: 'no good' })
  })

  it('fails when it takes too long, and says nothing when it cannot be run', async () => {
    runtime.onExec = () => Promise.reject(new RuntimeError('DeadlineExceeded', 'late'))
    expect(await run()).toEqual({ result: 'failure', message: 'command timed out: "check it" timed out after 1s' })
    runtime.onExec = () => Promise.reject(new RuntimeError('Unavailable', 'down'))
    expect(await run()).toEqual({ result: 'error', message: 'down' })
  })
})

it('a port is found by its name', () => {
  const [container] = pod([{ name: 'a', ports: [{ name: 'http', containerPort: 8080 }] }]).spec.containers
  expect([portOf(container!, 'http'), portOf(container!, 80), portOf(container!, '81'), portOf(container!, 'none')]).toEqual([
    8080,
    80,
    81,
    undefined,
  ])
})

describe('the probes of a pod', () => {
  let clock: VirtualClock
  let results: ProbeResults
  let probes: PodProbes
  let outcome: 'success' | 'failure'
  let runs: string[]

  beforeEach(() => {
    clock = virtualClock()
    results = new ProbeResults()
    outcome = 'success'
    runs = []
    const run = async ({ probe }: { probe: { initialDelaySeconds?: number | undefined } }) => {
      runs.push(`${clock.now() - start}+${probe.initialDelaySeconds ?? 0}`)
      return { result: outcome, message: '' }
    }
    probes = new PodProbes({ clock, events: { normal() {}, warning() {} }, log: silentLogger, results, run, onChange() {} })
  })
  afterEach(() => {
    probes.close()
    expect(clock.pending()).toBe(0)
  })

  const start = virtualClock().now()
  const follow = (container: object) => {
    const of = pod([{ name: 'a', ...container }])
    probes.follow(of, new Map([['a', { id: 'c', startedAtMs: clock.now() }]]), '10.0.0.1')
    return () => probes.follow(of, new Map([['a', { id: 'c', startedAtMs: start }]]), '10.0.0.1')
  }

  it('run from the initial delay on, every period', async () => {
    follow({ readinessProbe: { exec: {}, initialDelaySeconds: 3, periodSeconds: 2 } })
    await clock.advance(7000)
    expect(runs).toEqual(['3000+3', '5000+3', '7000+3'])
    expect(results.get('c', 'readiness')).toBe('success')
  })

  it('turn after as many outcomes as the threshold says', async () => {
    follow({ readinessProbe: { exec: {}, periodSeconds: 1, failureThreshold: 3, successThreshold: 2 } })
    await clock.advance(0)
    expect(results.get('c', 'readiness')).toBeUndefined()
    await clock.advance(1000)
    expect(results.get('c', 'readiness')).toBe('success')
    outcome = 'failure'
    await clock.advance(2000)
    expect(results.get('c', 'readiness')).toBe('success')
    await clock.advance(1000)
    expect(results.get('c', 'readiness')).toBe('failure')
  })

  it('wait for startup to succeed', async () => {
    outcome = 'failure'
    const again = follow({
      startupProbe: { exec: {}, periodSeconds: 1, failureThreshold: 9, initialDelaySeconds: 1 },
      livenessProbe: { exec: {}, periodSeconds: 1 },
    })
    await clock.advance(2000)
    expect(runs).toEqual(['1000+1', '2000+1'])
    outcome = 'success'
    await clock.advance(1000)
    again()
    await clock.advance(0)
    expect(runs).toEqual(['1000+1', '2000+1', '3000+1', '3000+0'])
  })

  it('end when the container is another', async () => {
    follow({ livenessProbe: { exec: {}, periodSeconds: 1 } })
    probes.follow(pod([{ name: 'a', livenessProbe: { exec: {} } }]), new Map(), '')
    await clock.advance(5000)
    expect(runs).toEqual([])
  })
})
