import { writeFileSync } from 'node:fs'
import { Registry } from 'prom-client'
import { eventRecorder } from '#client/events/event-recorder.ts'
import type { Informer } from '#client/informers/informer.ts'
import { informers } from '#client/informers/informers.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { encodeYaml } from '#machinery/codec/yaml/encode-yaml.ts'
import { isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import { SchedulerConfigurationError } from '#scheduler/configuration/scheduler-configuration-error.ts'
import { answerReviews } from '#scheduler/explain/answer-reviews.ts'
import { type Scheduler, startScheduler } from '#scheduler/scheduler.ts'
import { ConfigFileError, placeOf } from '../flags/config-file.ts'
import { kubeScheduler } from '../flags/kube-scheduler.ts'
import { kubeSchedulerConfiguration } from '../flags/kube-scheduler-configuration.ts'
import { neededFile } from '../flags/named-file.ts'
import { apiAccess } from '../frame/api-access.ts'
import { extenderCaller } from '../frame/call-extender.ts'
import { leadership } from '../frame/leadership.ts'
import { podResourceMetrics } from '../frame/pod-resource-metrics.ts'
import { configOf, runProgram, untilToldToEnd } from '../frame/run-program.ts'
import { schedulerMetrics } from '../frame/scheduler-metrics.ts'
import { serveComponent } from '../frame/serve-component.ts'

void runProgram(kubeScheduler, async context => {
  const { flags, setting, log, clock, random } = context
  const config = configOf(kubeSchedulerConfiguration, flags.config)
  const { apiVersion, kind } = kubeSchedulerConfiguration
  if (flags['write-config-to'] !== '') return writeFileSync(flags['write-config-to'], encodeYaml({ apiVersion, kind, ...config }))

  const connection = config?.clientConnection
  using access = apiAccess(
    {
      kubeconfig: setting('kubeconfig', connection?.kubeconfig),
      master: flags.master,
      qps: setting('kube-api-qps', connection?.qps),
      burst: setting('kube-api-burst', connection?.burst),
    },
    context,
  )
  const { client } = access
  using events = eventRecorder({ client, clock, log, component: 'default-scheduler' })
  let running: Scheduler | undefined
  let pods: Informer<Pod> | undefined
  const metrics = new Registry()
  const { counted, series } = schedulerMetrics(() => running)
  const isCoordinated = isGateOn('CoordinatedLeaderElection', flags['feature-gates'])
  const leader = leadership(context, { client, events, configuration: config?.leaderElection, metrics, isCoordinated })
  await using _server = await serveComponent(context, {
    client,
    checks: [leader.check],
    metrics,
    series: [...series, ...access.series],
    furtherSeries: { resources: podResourceMetrics(() => pods?.list() ?? []) },
    configuration: { 'kubescheduler.config.k8s.io': { ...config } },
  })

  await leader.lead(async until => {
    await using shared = informers({ client, clock, log })
    pods = shared.of(Pod)
    try {
      const configured = config ? { configuration: config, callExtender: extenderCaller() } : {}
      const featureGates = flags['feature-gates']
      const parts = { client, informers: shared, clock, random, log, events, metrics: counted, featureGates }
      const scheduler = await startScheduler({ ...parts, ...configured })
      running = scheduler
      await using _answering = await answerReviews({ client, informers: shared, scheduler, clock, log })
      log.info('scheduling')
      await untilToldToEnd(until)
      await scheduler.stop()
    } catch (error) {
      if (until.aborted) return
      throw error instanceof SchedulerConfigurationError ? placed(error, flags.config) : error
    }
  })
})

/** The mistake with its line in the file. */
function placed(error: SchedulerConfigurationError, file: string): ConfigFileError {
  return new ConfigFileError(`${placeOf(neededFile('--config', file), error.path, file)}: ${error.message}`)
}
