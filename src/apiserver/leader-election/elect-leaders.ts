import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { leadWhenElected } from '#client/leader/leader-election.ts'
import { workQueue } from '#client/queue/work-queue.ts'
import { Lease } from '#kinds/coordination/v1/lease.ts'
import { LeaseCandidate } from '#kinds/coordination/v1beta1/lease-candidate.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { microTimeOf } from '#machinery/time/time.ts'
import { planElection } from './election.plan.ts'

export interface ElectLeadersOptions {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** One of several API servers elects; this one as long as it holds a Lease of its own. */
const OWN_LEASE = { namespace: 'kube-system', name: 'leader-election-controller' }
const BY_LEASE = 'lease'

/** Elects holders of Leases among those that stand for them as LeaseCandidates (KEP-4355, upstream's leader-election-controller). */
export function electLeaders(options: ElectLeadersOptions): AsyncDisposable {
  const { random } = options
  const ended = new AbortController()
  const leading = (async () => {
    while (!ended.signal.aborted) {
      const identity = random.uuid()
      await leadWhenElected({ ...options, lease: OWN_LEASE, identity }, until => holdElections(options, until), ended.signal)
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      ended.abort(new Error('the server ends'))
      await leading
    },
  }
}

async function holdElections({ client, informers, clock, log }: ElectLeadersOptions, until: AbortSignal): Promise<void> {
  const leases = informers.of(Lease)
  const candidates = informers.of(LeaseCandidate)
  candidates.addIndex(BY_LEASE, ({ metadata, spec }) => [`${metadata.namespace}/${spec.leaseName}`])
  try {
    await Promise.all([leases.synced(until), candidates.synced(until)])
  } catch {
    return
  }
  const queue = workQueue<string>({
    clock,
    failed: (lease, error) => log.warn('an election could not be held', { lease, error: String(error) }),
    async work(key, signal) {
      const [namespace, name] = key.split('/') as [string, string]
      const present = leases.get(namespace, name)
      const plan = planElection(present, candidates.byIndex(BY_LEASE, key), clock.now())
      if (plan.problem) log.warn('nobody can be elected', { lease: key, reason: plan.problem })
      const pingTime = microTimeOf(clock.now())
      await Promise.all([
        ...plan.ask.map(one => client.update(LeaseCandidate, { ...one, spec: { ...one.spec, pingTime } }, { signal })),
        ...plan.gone.map(one => forget(client, one)),
      ])
      if (plan.lease) {
        const { holderIdentity: holder, preferredHolder } = plan.lease
        log.info('elected', { lease: key, holder, preferredHolder })
        if (present) await client.update(Lease, { ...present, spec: plan.lease }, { signal })
        else await client.create(Lease, { metadata: { namespace, name }, spec: plan.lease }, { signal })
      }
      return { againAfterMs: plan.againAfterMs }
    },
  })
  const handlers = [
    leases.onChange((lease, old) => {
      const { namespace, name } = (lease ?? old)!.metadata
      const key = `${namespace}/${name}`
      if (candidates.byIndex(BY_LEASE, key).length > 0) queue.add(key)
    }),
    candidates.onChange((candidate, old) => {
      const { metadata, spec } = (candidate ?? old)!
      queue.add(`${metadata.namespace}/${spec.leaseName}`)
    }),
  ]
  await new Promise<void>(resolve => {
    if (until.aborted) resolve()
    else until.addEventListener('abort', () => resolve(), { once: true })
  })
  for (const handler of handlers) handler[Symbol.dispose]()
  await queue[Symbol.asyncDispose]()
}

async function forget(client: Client, candidate: LeaseCandidate): Promise<void> {
  const { uid, resourceVersion } = candidate.metadata
  try {
    await client.delete(LeaseCandidate, candidate, { preconditions: { uid, resourceVersion } })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
