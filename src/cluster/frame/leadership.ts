import { hostname } from 'node:os'
import { Gauge, type Registry } from 'prom-client'
import type { HealthCheck } from '#apiserver/discovery/health.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import { leadWhenElected } from '#client/leader/leader-election.ts'
import { standAsCandidate } from '#client/leader/lease-candidate.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import type { ValuesOf } from '../flags/flag.ts'
import type { leaderElectionFlags } from '../flags/shared-flags.ts'
import { SetupError } from '../setup-error.ts'
import type { ProgramContext } from './run-program.ts'

type LeaderFlags = ValuesOf<ReturnType<typeof leaderElectionFlags>>

/** The part `leaderElection` of configuration files; durations as Go writes them. */
export interface LeaderElectionConfiguration {
  readonly leaderElect?: boolean | undefined
  readonly leaseDuration?: string | undefined
  readonly renewDeadline?: string | undefined
  readonly retryPeriod?: string | undefined
  readonly resourceName?: string | undefined
  readonly resourceNamespace?: string | undefined
}

export interface LeadershipOptions {
  readonly client: Client
  /** Tells users who leads. */
  readonly events: EventRecorder
  /** What a configuration file says; flags on the command line count before it. */
  readonly configuration?: LeaderElectionConfiguration | undefined
  /** Called when a copy on another machine is seen to lead. */
  ledElsewhere?(): void
  /** Whether API servers elect (`CoordinatedLeaderElection`). */
  readonly isCoordinated?: boolean
  /** Where `leader_election_master_status` is kept. */
  readonly metrics?: Registry
}

/** Work that one of several copies of a program does at a time. */
export interface Leadership {
  /** For `/healthz`: a leader that lost its Lease is broken until it has ended. */
  readonly check: HealthCheck
  /**
   * Does `work` once this copy holds the Lease, or at once with `--leader-elect=false`. Its signal aborts when the program is told to end or
   * the Lease is lost; resolves when it has ended, and rejects if the Lease was lost: the program must then start anew.
   */
  lead(work: (signal: AbortSignal) => Promise<void>): Promise<void>
}

/** Leading by a Lease, as the `--leader-elect` flags and `configuration` say. */
export function leadership(context: ProgramContext<LeaderFlags>, options: LeadershipOptions): Leadership {
  const { name, clock, random, log, signal, setting } = context
  const { client, events, metrics, ledElsewhere, isCoordinated = false, configuration: file } = options
  const period = (flag: 'leader-elect-lease-duration' | 'leader-elect-renew-deadline' | 'leader-elect-retry-period', inFile?: string) =>
    setting(flag, inFile ? durationMs(inFile) : undefined)
  const lease = {
    namespace: setting('leader-elect-resource-namespace', file?.resourceNamespace || undefined),
    name: setting('leader-elect-resource-name', file?.resourceName || undefined),
  }
  const periods = {
    leaseDurationMs: period('leader-elect-lease-duration', file?.leaseDuration),
    renewDeadlineMs: period('leader-elect-renew-deadline', file?.renewDeadline),
    retryPeriodMs: period('leader-elect-retry-period', file?.retryPeriod),
  }
  const isElected = setting('leader-elect', file?.leaderElect)
  if (isElected) checkPeriods(periods)
  const status = metrics && masterStatus(metrics, isElected ? lease.name : undefined)
  let lost = false
  const leading = async (work: (until: AbortSignal) => Promise<void>, until: AbortSignal) => {
    status?.(1)
    try {
      await work(until)
    } finally {
      status?.(0)
      lost ||= until.aborted && !signal.aborted
    }
  }
  return {
    check: { name: 'leaderElection', check: () => (lost ? `failed election to renew leadership on lease ${lease.name}` : undefined) },
    async lead(work) {
      if (!isElected) return work(signal)
      const machine = `${hostname()}_`
      const newLeader = (leader: string) => (leader.startsWith(machine) ? undefined : ledElsewhere?.())
      const identity = `${machine}${random.uuid()}`
      await using _candidacy = isCoordinated ? standAsCandidate({ client, clock, log, lease, identity, ...VERSIONS }) : undefined
      const election = { client, clock, random, log, events, lease, identity, newLeader, isCoordinated, ...periods }
      const outcome = await leadWhenElected(election, until => leading(work, until), signal)
      if (outcome === 'lost') throw new SetupError('The lead was lost', `start ${name} again; another one may have it now`)
    },
  }
}

/** What candidates say of themselves: the newest version is not to lead while others are older. */
const VERSIONS = { binaryVersion: '1.36.2', emulationVersion: '1.36.0' }

/** As upstream: a leader must notice that it cannot renew before others may take over. */
function checkPeriods({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: Readonly<Record<string, number>>): void {
  const refuse = (what: string, remedy: string) => {
    throw new SetupError(what, remedy)
  }
  if (leaseDurationMs! <= renewDeadlineMs!)
    refuse('--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline', 'such as 15s and 10s')
  if (renewDeadlineMs! <= retryPeriodMs! * 1.2)
    refuse('--leader-elect-renew-deadline must be longer than 1.2 times --leader-elect-retry-period', 'such as 10s and 2s')
}

function masterStatus(registry: Registry, lease: string | undefined): ((value: number) => void) | undefined {
  if (lease === undefined) return undefined
  const gauge = new Gauge({
    name: 'leader_election_master_status',
    help: 'Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.',
    labelNames: ['name'],
    registers: [registry],
  })
  gauge.set({ name: lease }, 0)
  return value => gauge.set({ name: lease }, value)
}
