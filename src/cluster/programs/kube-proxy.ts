import { writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { run } from '#base/process/run.ts'
import { informers } from '#client/informers/informers.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Service } from '#kinds/core/v1/service.ts'
import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { encodeYaml } from '#machinery/codec/yaml/encode-yaml.ts'
import { healthOnNodePorts } from '#proxy/health.ts'
import { serveHealthz } from '#proxy/healthz.ts'
import { neededSysctls } from '#proxy/network.ts'
import { Nftables } from '#proxy/nftables/nftables.ts'
import { standardTableFacts } from '#proxy/nftables/skeleton.ts'
import { startProxy } from '#proxy/proxy.ts'
import { addressAndPort } from '../flags/address.ts'
import { kubeProxy } from '../flags/kube-proxy.ts'
import { kubeProxyConfiguration, withoutEffect } from '../flags/kube-proxy-configuration.ts'
import { apiAccess } from '../frame/api-access.ts'
import { beKilledLast } from '../frame/oom-score.ts'
import { configOf, runProgram, untilToldToEnd } from '../frame/run-program.ts'
import { selfPages } from '../frame/self-pages.ts'
import { nothingServed, type PageAnswer, processMetrics, servePlain } from '../frame/serve-plain.ts'
import { SetupError } from '../setup-error.ts'

/** The nftables table of the proxy in the network it runs in. */
const TABLE = 'kube-proxy'

void runProgram(kubeProxy, async context => {
  const { flags, log, clock, signal } = context
  const config = configOf(kubeProxyConfiguration, flags.config)
  if (flags['write-config-to'] !== '') {
    const { apiVersion, kind } = kubeProxyConfiguration
    writeFileSync(flags['write-config-to'], encodeYaml({ apiVersion, kind, ...config }))
    return
  }
  const idle = config ? withoutEffect(config) : []
  if (idle.length > 0) log.warn('fields of the configuration are accepted, but have no effect here', { fields: idle })
  const mode = config ? (config.mode ?? '') : flags['proxy-mode']
  if (mode !== '' && mode !== 'nftables') log.warn('the mode asked for is not there: the rules are written by nftables', { mode })
  const clusterCIDRs = split(config ? config.clusterCIDR : flags['cluster-cidr'])
  const nodePortAddresses = config ? (config.nodePortAddresses ?? []) : flags['nodeport-addresses']
  const facts = {
    ...standardTableFacts,
    clusterCIDRs,
    masqueradeAll: config ? (config.nftables?.masqueradeAll ?? config.iptables?.masqueradeAll ?? false) : flags['masquerade-all'],
    ...(nodePortAddresses.length > 0 && !nodePortAddresses.includes('primary') ? { nodePortCIDRs: nodePortAddresses } : {}),
  }
  if (flags.cleanup) return new Nftables({ table: TABLE, facts, run, log }).remove()
  const needed = neededSysctls(facts)
  for (const { name, value } of needed) {
    await run('sysctl', ['-qw', `${name}=${value}`]).catch(error => log.verbose('a kernel setting could not be made', { name, error }))
  }
  if (flags['init-only']) return

  beKilledLast(config?.oomScoreAdj ?? flags['oom-score-adj'], log)
  const nodeName = flags['hostname-override'] || config?.hostnameOverride || hostname().toLowerCase()
  using access = apiAccess(
    {
      kubeconfig: config ? (config.clientConnection?.kubeconfig ?? flags.kubeconfig) : flags.kubeconfig,
      master: flags.master,
      qps: config?.clientConnection?.qps ?? flags['kube-api-qps'],
      burst: config?.clientConnection?.burst ?? flags['kube-api-burst'],
    },
    context,
  )
  const { client } = access
  await using shared = informers({ client, clock, log })
  const proxy = startProxy({
    table: TABLE,
    nodeName,
    network: [],
    facts,
    services: shared.of(Service),
    endpointSlices: shared.of(EndpointSlice),
    nodes: shared.of(Node),
    openHealth: healthOnNodePorts(),
    run,
    clock,
    log,
  })
  const healthz = addressAndPort((config ? config.healthzBindAddress : flags['healthz-bind-address']) || '0.0.0.0:10256', 10_256)
  const metrics = addressAndPort((config ? config.metricsBindAddress : flags['metrics-bind-address']) || '127.0.0.1:10249', 10_249)
  const isStrict = config ? (config.bindAddressHardFail ?? false) : flags['bind-address-hard-fail']
  /** A port that is taken is told, and is no reason to leave Services without rules unless asked for. */
  const unlessTaken = async (serving: Promise<AsyncDisposable>) => {
    try {
      return await serving
    } catch (error) {
      if (isStrict || !(error instanceof SetupError || (error as NodeJS.ErrnoException).code)) throw error
      log.error('a port could not be served', { error })
      return undefined
    }
  }
  await using _health = await unlessTaken(healthz.port === 0 ? Promise.resolve(nothingServed) : serveHealthz(healthz, proxy, clock))
  const isKept = (): PageAnswer => [200, 'ok']
  const proxyMode = (): PageAnswer => [200, 'nftables']
  const configuration = { 'kubeproxy.config.k8s.io': { ...config } }
  await using _metrics = await unlessTaken(
    servePlain(metrics, {
      '/metrics': processMetrics(),
      '/healthz': isKept,
      '/proxyMode': proxyMode,
      ...selfPages(context, configuration),
    }),
  )
  try {
    await proxy.ready(signal)
    log.info('Services are reachable', { node: nodeName })
    await untilToldToEnd(signal)
  } finally {
    await proxy.stop()
  }
})

function split(text = ''): string[] {
  return text.split(',').filter(part => part !== '')
}
