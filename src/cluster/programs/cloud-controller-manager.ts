import { hostname } from 'node:os'
import { eventRecorder } from '#client/events/event-recorder.ts'
import type { HttpClient } from '#client/http/http-client.ts'
import { httpClient } from '#client/http/http-client.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { leadWhenElected } from '#client/leader/leader-election.ts'
import { CLOUD_CONTROLLER_NAMES, cloudAccountOf, cloudControllers } from '#cloud/cloud-controllers.ts'
import type { CloudProvider } from '#cloud/provider.ts'
import { localNetwork } from '#cloud/providers/local/local-network.ts'
import { localProvider } from '#cloud/providers/local/local-provider.ts'
import { accountToken } from '#controllers/service-accounts.ts'
import { startControllers } from '#controllers/start-controllers.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { apiClient } from '../flags/api-client.ts'
import { cloudControllerManager } from '../flags/cloud-controller-manager.ts'
import { serveComponent } from '../flags/component-server.ts'
import { localCloudConfiguration } from '../flags/local-cloud-configuration.ts'
import { configOf, runProgram, untilToldToEnd } from '../flags/run-program.ts'
import { SetupError } from '../setup-error.ts'

await runProgram(cloudControllerManager, async ({ flags, log, clock, random, signal }) => {
  const enabled = readNames(flags.controllers)
  const limits = { qps: flags['kube-api-qps'], burst: flags['kube-api-burst'] }
  using client = apiClient({ kubeconfig: flags.kubeconfig, master: flags.master, ...limits }, 'cloud-controller-manager', clock)
  const providerFor = PROVIDERS[flags['cloud-provider']]
  if (!providerFor) {
    const known = Object.keys(PROVIDERS).join(', ')
    throw new SetupError(`--cloud-provider=${flags['cloud-provider']} is no provider`, `name one of: ${known}`)
  }
  let broken: string | undefined
  await using _server = await serveComponent({
    address: flags['bind-address'],
    port: flags['secure-port'],
    certFile: flags['tls-cert-file'],
    keyFile: flags['tls-private-key-file'],
    clientCaFile: flags['client-ca-file'],
    openPaths: flags['authorization-always-allow-paths'],
    client,
    clock,
    name: 'cloud-controller-manager',
    health: () => broken ?? true,
  })
  const own: HttpClient[] = []
  const clientFor = (controller: string) => {
    const options = clientOptionsFromFile(flags.kubeconfig, clock)
    const trust = () => {
      const { ca, serverName, insecureSkipVerify } = typeof options.tls === 'function' ? options.tls() : (options.tls ?? {})
      return { ca, serverName, insecureSkipVerify }
    }
    const token = accountToken(client, clock, cloudAccountOf(controller))
    const account = httpClient({ server: options.server, clock, tls: trust, token, userAgent: `cloud-controller-manager/${controller}` })
    own.push(account)
    return account
  }
  const work = async (until: AbortSignal) => {
    await using informers = newInformers({ client, clock, log })
    const provider = providerFor(flags['cloud-config'], informers)
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
      enabled,
      ...(flags['use-service-account-credentials'] && flags.kubeconfig !== '' ? { clientFor } : {}),
    })
    log.info('the controllers run', { provider: provider.name })
    await untilToldToEnd(until)
    await running.stop()
    for (const one of own.splice(0)) one[Symbol.dispose]()
  }
  if (!flags['leader-elect']) return work(signal)
  using events = eventRecorder({ client, clock, log, component: 'cloud-controller-manager' })
  const outcome = await leadWhenElected(
    {
      client,
      clock,
      random,
      log,
      events,
      lease: { namespace: flags['leader-elect-resource-namespace'], name: flags['leader-elect-resource-name'] },
      identity: `${hostname()}_${random.uuid()}`,
      leaseDurationMs: flags['leader-elect-lease-duration'],
      renewDeadlineMs: flags['leader-elect-renew-deadline'],
      retryPeriodMs: flags['leader-elect-retry-period'],
    },
    work,
    signal,
  )
  if (outcome === 'lost') {
    broken = 'the lead was lost'
    throw new SetupError('The lead was lost', 'start the cloud controller manager again; another one has it now')
  }
})

/** The providers by their names: another one is another line. */
const PROVIDERS: Readonly<Record<string, (configFile: string, informers: Informers) => CloudProvider>> = {
  local(configFile, informers) {
    const services = informers.of(Service)
    const place = () => {
      const { machines, loadBalancer } = configOf(localCloudConfiguration, configFile) ?? {}
      return { machines, pool: loadBalancer?.pool ?? [], link: loadBalancer?.link ?? '' }
    }
    const namespaces = (place().machines ?? []).flatMap(({ networkNamespace }) => networkNamespace ?? [])
    return localProvider({
      place,
      idPrefix: 'local://machines',
      networks: [localNetwork(), ...namespaces.map(path => localNetwork(path))],
      services: () => services.list(),
    })
  },
}

function readNames(entries: readonly string[]): readonly string[] {
  return entries.map(entry => {
    if (entry === '*') return entry
    const minus = entry.startsWith('-') ? '-' : ''
    const name = CLOUD_CONTROLLER_NAMES[entry.slice(minus.length)]
    if (name === undefined)
      throw new SetupError(
        `"${entry.slice(minus.length)}" is not in the list of known controllers`,
        'see --help for what --controllers takes',
      )
    return minus + name
  })
}
