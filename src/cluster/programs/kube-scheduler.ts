import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { Registry } from 'prom-client'
import { eventRecorder } from '#client/events/event-recorder.ts'
import { informers } from '#client/informers/informers.ts'
import { leadWhenElected } from '#client/leader/leader-election.ts'
import { encodeYaml } from '#machinery/codec/yaml/encode-yaml.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import { SchedulerConfigurationError } from '#scheduler/configuration/scheduler-configuration-error.ts'
import { answerReviews } from '#scheduler/explain/answer-reviews.ts'
import { type Scheduler, startScheduler } from '#scheduler/scheduler.ts'
import { apiClient } from '../flags/api-client.ts'
import { extenderCaller } from '../flags/call-extender.ts'
import { serveComponent } from '../flags/component-server.ts'
import { ConfigFileError, placeOf } from '../flags/config-file.ts'
import { kubeScheduler } from '../flags/kube-scheduler.ts'
import { kubeSchedulerConfiguration } from '../flags/kube-scheduler-configuration.ts'
import { configOf, readNamedFile, runProgram, untilToldToEnd } from '../flags/run-program.ts'
import { schedulerMetrics } from '../flags/scheduler-metrics.ts'
import { SetupError } from '../setup-error.ts'

await runProgram(kubeScheduler, async ({ flags, given, log, clock, random, signal }) => {
  const config = configOf(kubeSchedulerConfiguration, flags.config)
  const { clientConnection, leaderElection } = config ?? {}
  /** A flag on the command line counts before the file, the file before the flag's default. */
  const setting = <T>(flag: keyof typeof flags, inFile: T | undefined): T =>
    given.has(flag) || inFile === undefined ? (flags[flag] as T) : inFile
  const period = (flag: keyof typeof flags, inFile: string | undefined) => setting(flag, inFile ? durationMs(inFile) : undefined)

  if (flags['write-config-to'] !== '') {
    const { apiVersion, kind } = kubeSchedulerConfiguration
    writeFileSync(flags['write-config-to'], encodeYaml({ apiVersion, kind, ...config }))
    return
  }
  using client = apiClient(
    {
      kubeconfig: setting('kubeconfig', clientConnection?.kubeconfig),
      master: flags.master,
      qps: setting('kube-api-qps', clientConnection?.qps),
      burst: setting('kube-api-burst', clientConnection?.burst),
    },
    'kube-scheduler',
    clock,
  )
  let broken: string | undefined
  let running: Scheduler | undefined
  const registry = new Registry()
  const metrics = schedulerMetrics(registry, () => running)
  await using _server = await serveComponent({
    address: flags['bind-address'],
    port: flags['secure-port'],
    certFile: flags['tls-cert-file'],
    keyFile: flags['tls-private-key-file'],
    clientCaFile: flags['client-ca-file'],
    openPaths: flags['authorization-always-allow-paths'],
    client,
    clock,
    name: 'kube-scheduler',
    health: () => broken ?? true,
    metrics: registry,
  })
  using events = eventRecorder({ client, clock, log, component: 'default-scheduler' })

  const schedule = async (until: AbortSignal) => {
    await using shared = informers({ client, clock, log })
    try {
      const scheduler = await startScheduler({
        client,
        informers: shared,
        clock,
        random,
        log,
        events,
        metrics,
        ...(config ? { configuration: config, callExtender: extenderCaller() } : {}),
      })
      running = scheduler
      await using _answering = await answerReviews({ client, informers: shared, scheduler, clock, log })
      log.info('scheduling')
      await untilToldToEnd(until)
      await scheduler.stop()
    } catch (error) {
      if (until.aborted) return
      if (!(error instanceof SchedulerConfigurationError)) throw error
      const text = readNamedFile('config', flags.config).toString('utf8')
      throw new ConfigFileError(`${placeOf(text, error.path, flags.config)}: ${error.message}`)
    }
  }
  if (!setting('leader-elect', leaderElection?.leaderElect)) return schedule(signal)
  const outcome = await leadWhenElected(
    {
      client,
      clock,
      random,
      log,
      events,
      lease: {
        namespace: setting('leader-elect-resource-namespace', leaderElection?.resourceNamespace),
        name: setting('leader-elect-resource-name', leaderElection?.resourceName),
      },
      identity: `${hostname()}_${random.uuid()}`,
      leaseDurationMs: period('leader-elect-lease-duration', leaderElection?.leaseDuration),
      renewDeadlineMs: period('leader-elect-renew-deadline', leaderElection?.renewDeadline),
      retryPeriodMs: period('leader-elect-retry-period', leaderElection?.retryPeriod),
    },
    schedule,
    signal,
  )
  if (outcome === 'lost') {
    broken = 'the lead was lost'
    throw new SetupError('The lead was lost', 'start the scheduler again; another one has it now')
  }
})
