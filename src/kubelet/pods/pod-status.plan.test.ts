import { describe, expect, it } from 'vitest'
import type { ContainerStatus } from '#kinds/core/v1/container-status.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { container, NOW, pod, sandbox, state } from './pod-samples.ts'
import { EMPTY_STATE, type PodState } from './pod-state.ts'
import { planStatus, type StatusFacts } from './pod-status.plan.ts'

function status(of: Pod, now: PodState, more: Partial<StatusFacts> = {}) {
  return planStatus({
    pod: of,
    state: now,
    now: NOW,
    oldStatuses: new Map(),
    waiting: new Map(),
    probeResult: () => undefined,
    terminationMessages: new Map(),
    idOf: id => `containerd://${id}`,
    nodeIPs: ['172.30.0.1'],
    ended: false,
    ...more,
  })
}

const condition = (of: ReturnType<typeof status>, type: string) => of.conditions?.find(one => one.type === type)
const always = pod(['a', 'b'])
const never = pod(['a', 'b'], { restartPolicy: 'Never' })
const inits = pod(['a'], { initContainers: ['i'] })
const initsNever = pod(['a'], { initContainers: ['i'], restartPolicy: 'Never' })

const phases: [title: string, of: Pod, now: PodState, more: Partial<StatusFacts>, phase: string][] = [
  ['nothing was started', always, EMPTY_STATE, {}, 'Pending'],
  ['a container is still to come', always, state([container('a', 'running')]), {}, 'Pending'],
  ['all run', always, state([container('a', 'running'), container('b', 'running')]), {}, 'Running'],
  ['one has ended and will be started again', always, state([container('a', 1), container('b', 'running')]), {}, 'Running'],
  ['all have ended and will be started again', always, state([container('a', 1), container('b', 1)]), {}, 'Running'],
  ['all have succeeded under Never', never, state([container('a', 0), container('b', 0)]), {}, 'Succeeded'],
  ['one has failed under Never', never, state([container('a', 0), container('b', 2)]), {}, 'Failed'],
  ['one has failed under Never while the other runs', never, state([container('a', 2), container('b', 'running')]), {}, 'Running'],
  ['the init container runs', inits, state([container('i', 'running')]), {}, 'Pending'],
  ['the init container failed under Always', inits, state([container('i', 1)]), {}, 'Pending'],
  ['the init container failed under Never', initsNever, state([container('i', 1)]), {}, 'Failed'],
  ['it was refused', always, EMPTY_STATE, { failure: { reason: 'OutOfcpu', message: 'no' } }, 'Failed'],
  [
    'it was stopped by a deletion, and its containers failed',
    always,
    state([container('a', 137), container('b', 0)]),
    { ended: true },
    'Failed',
  ],
  [
    'it was stopped by a deletion, and its containers ended well',
    always,
    state([container('a', 0), container('b', 0)]),
    { ended: true },
    'Succeeded',
  ],
]

describe('the phase', () => {
  it.each(phases)('when %s', (_, of, now, more, phase) => {
    expect(status(of, now, more).phase).toBe(phase)
  })
})

describe('the status of a container', () => {
  it('is ContainerCreating before it was made', () => {
    expect(status(always, EMPTY_STATE).containerStatuses?.[0]).toEqual({
      name: 'a',
      state: { waiting: { reason: 'ContainerCreating' } },
      lastState: {},
      ready: false,
      restartCount: 0,
      image: 'a:1',
      imageID: '',
      started: false,
    })
  })

  it('is PodInitializing while init containers run', () => {
    expect(status(inits, state([container('i', 'running')])).containerStatuses?.[0]?.state).toEqual({
      waiting: { reason: 'PodInitializing' },
    })
  })

  it('tells the wait of a crash loop, and how it ended last', () => {
    const waiting = new Map([['a', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]])
    const [a] = status(pod(['a']), state([container('a', 1, { attempt: 2 })]), { waiting }).containerStatuses!
    expect(a).toMatchObject({ state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } }, restartCount: 2 })
    expect(a!.lastState.terminated).toMatchObject({ exitCode: 1, reason: 'Error', containerID: 'containerd://a-2' })
  })

  it('tells how it ended before the present run', () => {
    const now = state([container('a', 'running', { attempt: 1 }), container('a', 137, { reason: 'OOMKilled' })])
    const [a] = status(pod(['a']), now).containerStatuses!
    expect(a).toMatchObject({ restartCount: 1, ready: true, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } })
  })

  it('holds its last words', () => {
    const terminationMessages = new Map([['a-0', 'bye']])
    expect(status(never, state([container('a', 3)]), { terminationMessages }).containerStatuses?.[0]?.state.terminated?.message).toBe('bye')
  })

  it('is ready when its probe says so, and only once it has started', () => {
    const probed = pod([{ name: 'a', readinessProbe: {}, startupProbe: {} }])
    const ready = (results: Record<string, 'success' | 'failure'>) =>
      status(probed, state([container('a', 'running')]), { probeResult: (_, kind) => results[kind] }).containerStatuses?.[0]
    expect(ready({})).toMatchObject({ started: false, ready: false })
    expect(ready({ startup: 'success' })).toMatchObject({ started: true, ready: false })
    expect(ready({ startup: 'success', readiness: 'success' })).toMatchObject({ started: true, ready: true })
  })

  it("that was lost with the runtime's memory, and is made anew, ended in an unknown way", () => {
    const running = { running: { startedAt: null } }
    const old = { name: 'a', state: running, lastState: {}, ready: true, restartCount: 2, image: 'a:1', imageID: '', containerID: 'x://1' }
    const [a] = status(pod(['a']), EMPTY_STATE, { oldStatuses: new Map([['a', old as ContainerStatus]]) }).containerStatuses!
    expect(a).toMatchObject({
      restartCount: 2,
      state: { waiting: {} },
      lastState: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } },
    })
  })

  it('is unknown when it ran and the runtime has forgotten it', () => {
    const old = {
      name: 'a',
      state: { running: { startedAt: null } },
      lastState: {},
      ready: true,
      restartCount: 2,
      image: 'a:1',
      imageID: '',
    }
    const [a] = status(pod(['a']), EMPTY_STATE, { ended: true, oldStatuses: new Map([['a', old as ContainerStatus]]) }).containerStatuses!
    expect(a).toMatchObject({ restartCount: 2, state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } })
  })
})

describe('the conditions', () => {
  it('name what is not ready', () => {
    const now = status(always, state([container('a', 'running')]))
    expect(condition(now, 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [b]',
    })
    expect(condition(now, 'PodReadyToStartContainers')?.status).toBe('True')
  })

  it('name the init containers that are not done', () => {
    const now = status(inits, state([container('i', 'running')]))
    expect(condition(now, 'Initialized')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotInitialized',
      message: 'containers with incomplete status: [i]',
    })
  })

  it('wait for readiness gates', () => {
    const gated = pod(['a'], { readinessGates: [{ conditionType: 'example.com/lb' }] })
    expect(condition(status(gated, state([container('a', 'running')])), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message: 'corresponding condition of pod readiness gate "example.com/lb" does not exist.',
    })
  })

  it('keep the time of their last change, and conditions of others', () => {
    const lastTransitionTime = '2025-01-01T00:00:00Z'
    const old = [
      { type: 'Ready', status: 'True' as const, lastProbeTime: null, lastTransitionTime },
      { type: 'example.com/lb', status: 'True' as const, lastProbeTime: null, lastTransitionTime },
    ]
    const before: Pod = { ...pod(['a']), status: { conditions: old } }
    const now = status(before, state([container('a', 'running')]))
    expect(condition(now, 'Ready')?.lastTransitionTime).toBe(lastTransitionTime)
    expect(condition(now, 'ContainersReady')?.lastTransitionTime).toBe('2026-01-01T12:00:00Z')
    expect(condition(now, 'example.com/lb')).toEqual(old[1])
  })

  it('say PodCompleted at a good end', () => {
    const now = status(never, state([container('a', 0), container('b', 0)], [sandbox(false)]), { ended: true })
    expect(['Ready', 'ContainersReady', 'Initialized'].map(type => condition(now, type)?.reason)).toEqual([
      'PodCompleted',
      'PodCompleted',
      'PodCompleted',
    ])
  })
})

describe('the addresses', () => {
  it('are those of the sandbox, and of the node for a pod in its network', () => {
    expect(status(always, state([]))).toMatchObject({ podIP: '10.1.0.5', podIPs: [{ ip: '10.1.0.5' }], hostIP: '172.30.0.1' })
    expect(status(pod(['a'], { hostNetwork: true }), EMPTY_STATE).podIP).toBe('172.30.0.1')
  })
})
