import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { ImagePuller } from '../images/image-puller.ts'
import { PodProbes } from '../probes/pod-probes.ts'
import { ProbeResults } from '../probes/probe-results.ts'
import { noCgroups } from '../resources/cgroups.ts'
import { type MemoryRuntime, memoryRuntime } from '../runtime/memory/memory-runtime.ts'
import { PodVolumes } from '../volumes/pod-volumes.ts'
import type { PodHost } from './pod-host.ts'
import { pod } from './pod-samples.ts'
import { PodWorker } from './pod-worker.ts'
import { StatusWriter } from './status-writer.ts'

let clock: VirtualClock
let runtime: MemoryRuntime
let events: string[]
let deleted: string[]
let folder: string
let host: PodHost
let probe: 'success' | 'failure'
let worker: PodWorker | undefined

beforeEach(() => {
  clock = virtualClock()
  runtime = memoryRuntime(clock)
  for (const image of ['a:1', 'b:1', 'i:1', 'app:1']) runtime.addImage(image)
  events = []
  deleted = []
  probe = 'success'
  folder = mkdtempSync(join(tmpdir(), 't8s-worker-'))
  const tell = (_: Pod, reason: string, message: string) => void events.push(`${reason}: ${message}`)
  const podEvents = { normal: tell, warning: tell }
  const probeResults = new ProbeResults()
  const client = { patch: async () => ({}) } as unknown as Client
  host = {
    nodeName: 'n1',
    nodeIPs: ['172.30.0.1'],
    runtime,
    runtimeName: () => 'memory',
    clock,
    log: silentLogger,
    events: podEvents,
    statuses: new StatusWriter({ client, clock, log: silentLogger, apiPodOf: of => of }),
    references: { configMap: none, secret: none, claim: none, persistentVolume: none, services: () => [] },
    tokens: { request: () => Promise.reject(new Error('none')) },
    volumes: new PodVolumes(folder, { tmpfs: async () => {}, mountsUnder: async () => [], unmount: async () => {} }),
    images: new ImagePuller(runtime, clock, podEvents),
    probes: new PodProbes({
      clock,
      events: podEvents,
      log: silentLogger,
      results: probeResults,
      run: async () => ({ result: probe, message: 'told' }),
      onChange: () => worker?.wake(),
    }),
    probeResults,
    cgroups: noCgroups,
    podPids: undefined,
    dns: { clusterDNS: [], clusterDomain: 'cluster.local', node: { servers: [], searches: [], options: [] } },
    logsDirectory: join(folder, 'logs'),
    seccompDirectory: '/s',
    nodeHostsPath: '/etc/hosts',
    nodeMemoryBytes: 1e9,
    allocatable: () => ({}),
    admit: () => undefined,
    deleteFromApi: async of => void deleted.push(of.metadata.name!),
    runtimeHandler: async () => '',
  }
  runtime.onEvent(() => worker?.wake())
})

afterEach(async () => {
  await worker?.stop()
  worker = undefined
  host.probes.close()
  expect(clock.pending()).toBe(0)
  rmSync(folder, { recursive: true, force: true })
})

const none = () => Promise.reject(new Error('none'))

/** Lets the worker work until it waits; disk accesses take real time, so it is given as many turns as it needs. */
async function rest(): Promise<void> {
  for (let quiet = 0; quiet < 3; ) {
    const before = runtime.calls.length
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    quiet = worker?.isBusy || runtime.calls.length !== before ? 0 : quiet + 1
  }
}

async function pass(ms: number): Promise<void> {
  await clock.advance(ms)
  await rest()
}

async function start(of: Pod): Promise<PodWorker> {
  worker = new PodWorker(host, of, () => {})
  await rest()
  return worker
}

const terminating = (of: Pod, graceSeconds: number): Pod => ({
  ...of,
  metadata: { ...of.metadata, deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: graceSeconds },
})

describe('a pod worker', () => {
  it('makes the sandbox and the containers, and tells that they run', async () => {
    const { status } = await start(pod(['a', 'b']))
    expect(runtime.calls).toEqual(['run web', 'create a#0', 'start a#0', 'create b#0', 'start b#0'])
    expect(status).toMatchObject({ phase: 'Running', podIP: '10.9.0.2' })
  })

  it('starts a crashed container at once, then after 10 s, then after 20 s', async () => {
    await start(pod(['a']))
    const restarts: number[] = []
    const begin = clock.now()
    for (let crash = 0; crash < 3; crash++) {
      runtime.exit('a', 1)
      await rest()
      while (worker!.status?.containerStatuses?.[0]?.state.waiting) await pass(1000)
      restarts.push((clock.now() - begin) / 1000)
    }
    expect(restarts).toEqual([0, 10, 30])
    expect(events).toContain('BackOff: Back-off restarting failed container a in pod web_default(u1)')
    expect(worker!.status?.containerStatuses?.[0]?.restartCount).toBe(3)
  })

  it('runs init containers one after the other before the containers', async () => {
    await start(pod(['a'], { initContainers: ['i'] }))
    expect(runtime.calls.at(-1)).toBe('start i#0')
    runtime.exit('i', 0)
    await rest()
    expect(runtime.calls.at(-1)).toBe('start a#0')
    expect(worker!.status?.conditions?.find(({ type }) => type === 'Initialized')?.status).toBe('True')
  })

  it('ends a pod whose containers are done, and keeps it for its logs', async () => {
    await start(pod(['a'], { restartPolicy: 'Never' }))
    runtime.exit('a', 0, 'Completed')
    await rest()
    expect(worker!.status?.phase).toBe('Succeeded')
    expect(worker!.hasEnded).toBe(true)
    expect(await runtime.listContainers()).toHaveLength(1)
    expect(deleted).toEqual([])
  })

  it('ends a pod that others declared failed, and does not say otherwise', async () => {
    const of = pod(['a'])
    await start(of)
    worker!.update({ ...of, status: { ...worker!.status, phase: 'Failed' } })
    await rest()
    expect(runtime.calls).toContain('stop a#0 30s')
    expect(worker!.status?.phase).toBe('Failed')
  })

  it('ends a deleted pod in its grace period and then removes all of it', async () => {
    const of = pod(['a'])
    await start(of)
    worker!.update(terminating(of, 7))
    await rest()
    expect(runtime.calls).toContain('stop a#0 7s')
    expect(events).toContain('Killing: Stopping container a')
    expect(deleted).toEqual(['web'])
    expect([...(await runtime.listSandboxes()), ...(await runtime.listContainers())]).toEqual([])
  })

  it('stops sooner when a second delete leaves less time', async () => {
    runtime.stubborn = true
    const of = pod(['a'])
    await start(of)
    worker!.update(terminating(of, 300))
    await clock.advance(1000)
    worker!.update(terminating(of, 5))
    await clock.advance(5000)
    expect(runtime.calls.filter(call => call.startsWith('stop'))).toEqual(['stop a#0 300s', 'stop a#0 5s'])
    expect((await runtime.listContainers())[0]?.state ?? 'gone').not.toBe('running')
    await clock.advance(300_000)
    await rest()
    expect(deleted).toEqual(['web'])
  })

  it('runs the preStop hook within the grace period', async () => {
    runtime.onExec = command => {
      events.push(`exec ${command.join(' ')}`)
      return { exitCode: 1, stdout: '', stderr: 'no' }
    }
    const of = pod([{ name: 'a', image: 'a:1', lifecycle: { preStop: { exec: { command: ['bye'] } } } }])
    await start(of)
    worker!.update(terminating(of, 7))
    await rest()
    expect(events.slice(-3)).toEqual(['Killing: Stopping container a', 'exec bye', 'FailedPreStopHook: PreStopHook failed'])
  })

  it('kills a container whose postStart hook fails', async () => {
    runtime.onExec = () => ({ exitCode: 1, stdout: '', stderr: '' })
    await start(pod([{ name: 'a', image: 'a:1', lifecycle: { postStart: { exec: { command: ['x'] } } } }], { restartPolicy: 'Never' }))
    expect(events).toContain('FailedPostStartHook: PostStartHook failed')
    await pass(2000)
    expect(worker!.status?.phase).not.toBe('Running')
  })

  it('restarts a container whose liveness probe fails often enough', async () => {
    const livenessProbe = { exec: { command: ['x'] }, periodSeconds: 1, failureThreshold: 2 }
    await start(pod([{ name: 'a', image: 'a:1', livenessProbe }]))
    await pass(0)
    probe = 'failure'
    await pass(1000)
    expect(events.filter(event => event.startsWith('Unhealthy'))).toEqual(['Unhealthy: Liveness probe failed: told'])
    expect(runtime.calls).not.toContain('stop a#0 30s')
    await pass(1000)
    expect(runtime.calls).toContain('stop a#0 30s')
    expect(runtime.calls.at(-1)).toBe('start a#1')
  })

  it('tells why an image cannot be pulled, and waits longer each time', async () => {
    runtime.failNext('pullImage', 'no such host')
    await start(pod([{ name: 'a', image: 'far:1' }]))
    const waiting = () => worker!.status?.containerStatuses?.[0]?.state.waiting
    expect(waiting()).toEqual({ reason: 'ErrImagePull', message: 'no such host' })
    await pass(2000)
    expect(waiting()).toEqual({ reason: 'ImagePullBackOff', message: 'Back-off pulling image "far:1": ErrImagePull: no such host' })
    await pass(8000)
    expect(worker!.status?.phase).toBe('Running')
    expect(events.filter(event => event.startsWith('Pulled'))).toHaveLength(1)
  })

  it('never pulls against the policy', async () => {
    await start(pod([{ name: 'a', image: 'far:1', imagePullPolicy: 'Never' }]))
    expect(worker!.status?.containerStatuses?.[0]?.state.waiting?.reason).toBe('ErrImageNeverPull')
    expect(runtime.calls).not.toContain('pull far:1')
  })

  it('says which configuration is missing', async () => {
    await start(pod([{ name: 'a', image: 'a:1', env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'c', key: 'k' } } }] }]))
    expect(worker!.status?.containerStatuses?.[0]?.state.waiting).toEqual({ reason: 'CreateContainerConfigError', message: 'none' })
  })

  it('tries again to make a sandbox that failed', async () => {
    runtime.failNext('runSandbox', 'no network')
    await start(pod(['a']))
    expect(events).toContain('FailedCreatePodSandBox: Failed to create pod sandbox: no network')
    await pass(1000)
    expect(worker!.status?.phase).toBe('Running')
  })

  it('makes a lost sandbox anew', async () => {
    await start(pod(['a']))
    runtime.loseSandboxes()
    await rest()
    expect(events).toContain('SandboxChanged: Pod sandbox changed, it will be killed and re-created.')
    expect(runtime.calls.slice(-3)).toEqual(['run web', 'create a#1', 'start a#1'])
  })

  it('takes over what runs and touches nothing', async () => {
    await start(pod(['a']))
    const { status } = worker!
    await worker!.stop()
    const before = runtime.calls.length
    const again = await start({ ...pod(['a']), status: status! })
    expect(runtime.calls.length).toBe(before)
    expect(again.status).toEqual(status)
  })

  it('refuses a pod the node cannot take', async () => {
    host = { ...host, admit: () => ({ reason: 'OutOfcpu', message: 'too much' }) }
    await start(pod(['a']))
    expect(worker!.status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu', message: 'too much' })
    expect(runtime.calls).toEqual([])
  })

  it('ends a pod that is active for longer than it may', async () => {
    await start(pod(['a'], { activeDeadlineSeconds: 60 }))
    await pass(60_000)
    expect(worker!.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' })
    expect(runtime.calls).toContain('stop a#0 30s')
  })

  it('stops sidecars after the containers they serve', async () => {
    const of = pod(['a'], { initContainers: [{ name: 'side', restartPolicy: 'Always' }] })
    await start(of)
    worker!.update(terminating(of, 7))
    await rest()
    expect(runtime.calls.filter(call => call.startsWith('stop'))).toEqual(['stop a#0 7s', 'stop side#0 7s'])
  })
})
