import { Registry } from 'prom-client'
import { eventRecorder } from '#client/events/event-recorder.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { cloudAccountOf, cloudControllers } from '#cloud/cloud-controllers.ts'
import type { CloudProvider } from '#cloud/provider.ts'
import { localNetwork } from '#cloud/providers/local/local-network.ts'
import { localProvider } from '#cloud/providers/local/local-provider.ts'
import { startControllers } from '#controllers/start-controllers.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { cloudControllerManager, readCloudControllerNames } from '../flags/cloud-controller-manager.ts'
import { cloudControllerManagerConfiguration } from '../flags/controllers-configuration.ts'
import { localCloudConfiguration } from '../flags/local-cloud-configuration.ts'
import { apiAccess } from '../frame/api-access.ts'
import { controllerMetrics } from '../frame/controller-metrics.ts'
import { leadership } from '../frame/leadership.ts'
import { configOf, runProgram, untilToldToEnd } from '../frame/run-program.ts'
import { serveComponent } from '../frame/serve-component.ts'
import { SetupError } from '../setup-error.ts'

void runProgram(cloudControllerManager, async context => {
  const { flags, log, clock, random } = context
  const providerFor = providerNamed(flags['cloud-provider'])
  const { kubeconfig, master, 'kube-api-qps': qps, 'kube-api-burst': burst } = flags
  using access = apiAccess({ kubeconfig, master, qps, burst }, context)
  const { client } = access
  using events = eventRecorder({ client, clock, log, component: 'cloud-controller-manager' })
  const metrics = new Registry()
  const standBy = async () => providerFor(flags['cloud-config'], () => []).standBy?.()
  const ledElsewhere = () => void standBy().catch(error => log.error('what only a leader may have could not be let go of', { error }))
  const leader = leadership(context, { client, events, metrics, ledElsewhere })
  const { counted, series } = controllerMetrics()
  await using _server = await serveComponent(context, {
    client,
    checks: [leader.check],
    metrics,
    series: [...series, ...access.series],
    configuration: { 'cloudcontrollermanager.config.k8s.io': cloudControllerManagerConfiguration(flags) },
  })

  await leader.lead(async until => {
    await using informers = newInformers({ client, clock, log })
    const services = informers.of(Service)
    const provider = providerFor(flags['cloud-config'], () => services.list())
    const { routes: _, ...withoutRoutes } = provider
    const setsRoutes = flags['allocate-node-cidrs'] && flags['configure-cloud-routes']
    const controllers = cloudControllers(setsRoutes ? provider : withoutRoutes, {
      nodeMonitorPeriodMs: flags['node-monitor-period'],
      nodeStatusUpdateFrequencyMs: flags['node-status-update-frequency'],
      routeReconciliationPeriodMs: flags['route-reconciliation-period'],
      clusterCIDRs: flags['cluster-cidr'].split(',').filter(cidr => cidr !== ''),
    })
    const running = startControllers({
      client,
      clock,
      random,
      log,
      kinds: kindRegistry(builtInKinds),
      informers,
      controllers,
      enabled: readCloudControllerNames(flags.controllers),
      metrics: counted,
      ...(flags['use-service-account-credentials']
        ? { clientFor: controller => access.clientOfAccount(cloudAccountOf(controller), controller) }
        : {}),
    })
    log.info('the controllers run', { provider: provider.name })
    await untilToldToEnd(until)
    await running.stop()
  })
})

/** The providers by their names: another one is another line. */
const PROVIDERS: Readonly<Record<string, (configFile: string, services: () => readonly Service[]) => CloudProvider>> = {
  local(configFile, services) {
    const place = () => {
      const { machines, loadBalancer } = configOf(localCloudConfiguration, configFile) ?? {}
      return { machines, pool: loadBalancer?.pool ?? [], link: loadBalancer?.link ?? '' }
    }
    const namespaces = (place().machines ?? []).flatMap(({ networkNamespace }) => networkNamespace ?? [])
    return localProvider({
      place,
      idPrefix: 'local://machines',
      networks: [localNetwork(), ...namespaces.map(path => localNetwork(path))],
      services,
      announces: true,
    })
  },
}

function providerNamed(name: string): (typeof PROVIDERS)[string] {
  const provider = PROVIDERS[name]
  if (!provider) throw new SetupError(`--cloud-provider=${name} is no provider`, `name one of: ${Object.keys(PROVIDERS).join(', ')}`)
  return provider
}
