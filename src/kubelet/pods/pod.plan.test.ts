import { describe, expect, it } from 'vitest'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { type PodFacts, type PodPlan, planPod } from './pod.plan.ts'
import { container, NOW, pod, sandbox, state } from './pod-samples.ts'
import { EMPTY_STATE, type PodState } from './pod-state.ts'

function plan(of: Pod, now: PodState, more: Partial<PodFacts> = {}): PodPlan {
  return planPod({
    pod: of,
    state: now,
    now: NOW,
    countedRestarts: () => undefined,
    backoffMs: () => 0,
    probeResult: () => undefined,
    ...more,
  })
}

/** What a plan does, in few words. */
function words(of: PodPlan): string {
  const parts: string[] = []
  if (of.finish) parts.push('finish')
  if (of.createSandbox) parts.push(`sandbox ${of.createSandbox.attempt}`)
  for (const stop of of.stop) parts.push(`stop ${stop.container.name}`)
  for (const start of of.start) parts.push(`start ${start.container.name}#${start.attempt}`)
  for (const [name, { reason }] of of.waiting) parts.push(`${name}: ${reason}`)
  return parts.join(', ') || 'nothing'
}

const always = pod(['a', 'b'])
const onFailure = pod(['a', 'b'], { restartPolicy: 'OnFailure' })
const never = pod(['a', 'b'], { restartPolicy: 'Never' })
const inits = pod(['a'], { initContainers: ['i', 'j'] })
const initsNever = pod(['a'], { initContainers: ['i', 'j'], restartPolicy: 'Never' })
const sidecar = pod(['a'], { initContainers: [{ name: 'side', restartPolicy: 'Always' }, 'i'], restartPolicy: 'Never' })

const cases: [title: string, of: Pod, now: PodState, expected: string][] = [
  ['makes a sandbox and all containers of a new pod', always, EMPTY_STATE, 'sandbox 0, start a#0, start b#0'],
  ['leaves running containers alone', always, state([container('a', 'running'), container('b', 'running')]), 'nothing'],
  ['starts what was never made', always, state([container('a', 'running')]), 'start b#0'],
  ['starts again what ended', always, state([container('a', 0), container('b', 'running')]), 'start a#1'],
  ['starts what was made but not started', always, state([container('a', 'created'), container('b', 'running')]), 'start a#1'],
  ['does not start again what succeeded under OnFailure', onFailure, state([container('a', 0), container('b', 'running')]), 'nothing'],
  ['starts again what failed under OnFailure', onFailure, state([container('a', 1), container('b', 'running')]), 'start a#1'],
  ['starts nothing again under Never', never, state([container('a', 1), container('b', 'running')]), 'nothing'],
  ['is done when all have ended for good', never, state([container('a', 0), container('b', 1)]), 'finish'],
  ['is done when all have succeeded under OnFailure', onFailure, state([container('a', 0), container('b', 0)]), 'finish'],
  ['starts the first init container alone', inits, EMPTY_STATE, 'sandbox 0, start i#0'],
  ['waits for an init container', inits, state([container('i', 'running')]), 'nothing'],
  ['goes on to the next init container', inits, state([container('i', 0)]), 'start j#0'],
  ['starts the containers after the last init container', inits, state([container('i', 0), container('j', 0)]), 'start a#0'],
  ['tries a failed init container again', inits, state([container('i', 1)]), 'start i#1'],
  ['gives up after a failed init container under Never', initsNever, state([container('i', 1)]), 'finish'],
  ['does not look at init containers once the pod runs', inits, state([container('a', 'running')]), 'nothing'],
  ['starts a sidecar in its turn', sidecar, EMPTY_STATE, 'sandbox 0, start side#0'],
  ['goes on beside a running sidecar', sidecar, state([container('side', 'running')]), 'start i#0'],
  [
    'starts an ended sidecar again, even under Never',
    sidecar,
    state([container('side', 0), container('i', 0), container('a', 'running')]),
    'start side#1',
  ],
  ['is done when only sidecars run', sidecar, state([container('side', 'running'), container('i', 0), container('a', 0)]), 'finish'],
  [
    'makes a lost sandbox anew with all in it',
    always,
    state([container('a', 137), container('b', 137)], [sandbox(false)]),
    'sandbox 1, start a#1, start b#1',
  ],
  [
    'runs init containers again in a new sandbox',
    inits,
    state([container('a', 137), container('i', 0)], [sandbox(false)]),
    'sandbox 1, start i#1',
  ],
  [
    'runs only what had not succeeded in a new sandbox under OnFailure',
    onFailure,
    state([container('a', 0), container('b', 137)], [sandbox(false)]),
    'sandbox 1, start b#1',
  ],
  ['makes no new sandbox under Never', never, state([container('a', 137), container('b', 0)], [sandbox(false)]), 'finish'],
]

describe('the plan of a pod', () => {
  it.each(cases)('%s', (_, of, now, expected) => {
    expect(words(plan(of, now))).toBe(expected)
  })

  it('holds a container back that crashed, and says until when', () => {
    const of = plan(always, state([container('a', 1, { finishedAtMs: NOW - 4000 }), container('b', 'running')]), {
      backoffMs: () => 20_000,
    })
    expect(words(of)).toBe('a: CrashLoopBackOff')
    expect(of.waiting.get('a')?.message).toBe('back-off 20s restarting failed container=a pod=web_default(u1)')
    expect(of.wakeAtMs).toBe(NOW + 16_000)
  })

  it('starts a container once its time has come', () => {
    const of = plan(always, state([container('a', 1, { finishedAtMs: NOW - 20_000 }), container('b', 'running')]), {
      backoffMs: () => 20_000,
    })
    expect(words(of)).toBe('start a#1')
  })

  it('goes on counting restarts that only the API remembers', () => {
    expect(words(plan(pod(['a']), EMPTY_STATE, { countedRestarts: () => 4 }))).toBe('sandbox 0, start a#5')
  })

  it('stops a container whose liveness probe failed, with the grace the probe gives', () => {
    const probed = pod([{ name: 'a', livenessProbe: { exec: { command: ['x'] }, terminationGracePeriodSeconds: 3 } }])
    const of = plan(probed, state([container('a', 'running', {}, probed.spec)]), {
      probeResult: (_, kind) => (kind === 'liveness' ? 'failure' : undefined),
    })
    expect(of.stop).toMatchObject([{ message: 'Container a failed liveness probe, will be restarted', graceSeconds: 3 }])
  })

  it('stops a container whose image was changed', () => {
    const changed = pod([{ name: 'a', image: 'a:2' }])
    const running = container('a', 'running', {}, pod(['a']).spec)
    expect(plan(changed, state([running])).stop[0]?.message).toBe('Container a definition changed, will be restarted')
  })

  it('lets the next container wait until a sidecar has started', () => {
    const slow = pod(['a'], { initContainers: [{ name: 'side', restartPolicy: 'Always', startupProbe: { exec: { command: ['x'] } } }] })
    expect(words(plan(slow, state([container('side', 'running')])))).toBe('nothing')
    expect(words(plan(slow, state([container('side', 'running')]), { probeResult: () => 'success' }))).toBe('start a#0')
  })
})
