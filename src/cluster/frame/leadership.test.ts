import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { readCommandLine } from '../flags/flag-set.ts'
import { kubeScheduler } from '../flags/kube-scheduler.ts'
import { type LeaderElectionConfiguration, leadership } from './leadership.ts'
import type { ProgramContext } from './run-program.ts'

const events = { record() {} } as unknown as EventRecorder

/** A scheduler with these flags and this part of its configuration. */
function start(flags: readonly string[] = [], configuration?: LeaderElectionConfiguration, api?: FakeApi, clock = virtualClock()) {
  const line = readCommandLine(kubeScheduler, flags, '')
  if (line.do !== 'run') throw new Error(line.text)
  const stop = new AbortController()
  const server = api ?? new FakeApi(clock)
  const faults = { isCut: false }
  const client = server.client({
    before() {
      if (faults.isCut) throw new Error('unreachable')
    },
  })
  const context = {
    name: 'kube-scheduler',
    flags: line.values,
    given: line.given,
    setting: (flag: keyof typeof line.values, inFile: unknown) =>
      line.given.has(flag) || inFile === undefined ? line.values[flag] : inFile,
    clock,
    random: seededRandom(1),
    log: silentLogger,
    signal: stop.signal,
  } as unknown as ProgramContext<typeof line.values>
  const metrics = new Registry()
  const leader = leadership(context, { client, events, configuration, metrics })
  return { clock, api: server, stop, leader, metrics, faults }
}

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('leading by a Lease', () => {
  it('holds the Lease while it works, shows that, and gives it back at the end', async () => {
    const { leader, clock, api, stop, metrics } = start()
    const done = leader.lead(untilAborted)
    await clock.advance(100)
    expect(api.find(Lease, 'kube-scheduler', 'kube-system')!.spec.holderIdentity).not.toBe('')
    expect(await metrics.metrics()).toContain('leader_election_master_status{name="kube-scheduler"} 1')
    stop.abort(new Error('the end'))
    await clock.advance(100)
    await done
    expect(api.find(Lease, 'kube-scheduler', 'kube-system')!.spec.holderIdentity).toBe('')
    expect(await metrics.metrics()).toContain('leader_election_master_status{name="kube-scheduler"} 0')
  })

  it('takes its words from the configuration, and from flags before it', async () => {
    const file = { resourceName: 'mine', resourceNamespace: 'there', leaseDuration: '40s', renewDeadline: '30s' }
    const { leader, clock, api, stop } = start(['--leader-elect-resource-namespace=here'], file)
    const done = leader.lead(untilAborted)
    await clock.advance(100)
    expect(api.find(Lease, 'mine', 'here')!.spec.leaseDurationSeconds).toBe(40)
    stop.abort(new Error('the end'))
    await clock.advance(100)
    await done
  })

  it('works at once where nobody is to be elected', async () => {
    const { leader, api } = start(['--leader-elect=false'])
    let worked = false
    await leader.lead(async () => {
      worked = true
    })
    expect(worked).toBe(true)
    expect(api.find(Lease, 'kube-scheduler', 'kube-system')).toBeUndefined()
  })

  it('fails when the Lease is lost, and says so to who asks for its health', async () => {
    const { leader, clock, faults } = start()
    const outcome = leader.lead(untilAborted).then(
      () => 'ended',
      (error: Error) => error.message,
    )
    await clock.advance(5_000)
    expect(leader.check.check()).toBeUndefined()
    faults.isCut = true
    await clock.advance(15_000)
    expect(await outcome).toBe('The lead was lost: start kube-scheduler again; another one may have it now')
    expect(leader.check.check()).toBe('failed election to renew leadership on lease kube-scheduler')
  })

  it.each([
    [['--leader-elect-lease-duration=10s'], '--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline'],
    [['--leader-elect-retry-period=9s'], '--leader-elect-renew-deadline must be longer than 1.2 times --leader-elect-retry-period'],
  ])('refuses %j', (flags, why) => {
    expect(() => start(flags)).toThrow(why)
  })
})
