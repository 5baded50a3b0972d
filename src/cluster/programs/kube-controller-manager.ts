import { Registry } from 'prom-client'
import { followDiscovery } from '#client/discovery/discovered-kinds.ts'
import { servedAmong } from '#client/discovery/served-among.ts'
import { eventRecorder } from '#client/events/event-recorder.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { readControllerNames } from '#controllers/controllers.ts'
import { accountOf } from '#controllers/service-accounts.ts'
import { startControllers } from '#controllers/start-controllers.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { optionalKinds } from '#kinds/optional-kinds.ts'
import { isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { controllerParameters } from '../flags/controller-parameters.ts'
import { kubeControllerManagerConfiguration } from '../flags/controllers-configuration.ts'
import { kubeControllerManager } from '../flags/kube-controller-manager.ts'
import { apiAccess } from '../frame/api-access.ts'
import { controllerMetrics } from '../frame/controller-metrics.ts'
import { leadership } from '../frame/leadership.ts'
import { runProgram, untilToldToEnd } from '../frame/run-program.ts'
import { serveComponent } from '../frame/serve-component.ts'

void runProgram(kubeControllerManager, async context => {
  const { flags, log, clock, random } = context
  const enabled = [
    ...readControllerNames(flags.controllers),
    ...(flags['enable-garbage-collector'] ? [] : ['-garbage-collector-controller']),
  ]
  const featureGates = flags['feature-gates']
  const parameters = controllerParameters(flags, clock)
  const { kubeconfig, master, 'kube-api-qps': qps, 'kube-api-burst': burst } = flags
  using access = apiAccess({ kubeconfig, master, qps, burst }, context)
  const { client } = access
  const readMetrics = async (path: string) => JSON.parse(await client.raw(path)) as unknown
  using events = eventRecorder({ client, clock, log, component: 'kube-controller-manager' })
  const metrics = new Registry()
  const leader = leadership(context, { client, events, metrics, isCoordinated: isGateOn('CoordinatedLeaderElection', featureGates) })
  const { counted, series } = controllerMetrics()
  await using _server = await serveComponent(context, {
    client,
    checks: [leader.check],
    metrics,
    series: [...series, ...access.series],
    configuration: { 'kubecontrollermanager.config.k8s.io': kubeControllerManagerConfiguration(flags) },
  })

  await leader.lead(async until => {
    const kinds = kindRegistry([...builtInKinds, ...(await servedAmong(optionalKinds, client.raw))])
    await using informers = newInformers({ client, clock, log })
    await using _discovery = await followDiscovery({ raw: client.raw, informers, kinds, clock, log })
    const running = startControllers({
      client,
      clock,
      random,
      log,
      kinds,
      informers,
      parameters: { ...parameters, readMetrics },
      enabled,
      featureGates,
      metrics: counted,
      ...(flags['use-service-account-credentials']
        ? { clientFor: controller => access.clientOfAccount(accountOf(controller), controller) }
        : {}),
    })
    log.info('the controllers run')
    await untilToldToEnd(until)
    await running.stop()
  })
})
