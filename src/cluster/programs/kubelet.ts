import { cpus, hostname } from 'node:os'
import type { Taint } from '#kinds/core/v1/node.ts'
import { DEFAULT_THRESHOLDS, type EvictionThresholds } from '#kubelet/eviction/eviction.plan.ts'
import { startKubelet } from '#kubelet/kubelet.ts'
import { openCgroups } from '#kubelet/resources/cgroup-fs.ts'
import { criRuntime } from '#kubelet/runtime/cri/cri-runtime.ts'
import { linuxMounter } from '#kubelet/volumes/linux-mounter.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { kubelet as program } from '../flags/kubelet.ts'
import { inForce, type KubeletConfiguration, kubeletConfiguration, withoutEffect } from '../flags/kubelet-configuration.ts'
import { neededFile } from '../flags/named-file.ts'
import { apiAccess } from '../frame/api-access.ts'
import { beKilledLast } from '../frame/oom-score.ts'
import { configOf, runProgram, untilToldToEnd } from '../frame/run-program.ts'
import { selfPages } from '../frame/self-pages.ts'
import { servePlain } from '../frame/serve-plain.ts'
import { servingTls } from '../frame/serving-tls.ts'
import { firstAddress } from '../machine/addresses.ts'
import { SetupError } from '../setup-error.ts'

void runProgram(program, async context => {
  const { flags, given, setting, log, clock, random, signal } = context
  const config: KubeletConfiguration = configOf(kubeletConfiguration, flags.config) ?? {}
  const idle = withoutEffect(config)
  if (idle.length > 0) log.warn('fields of the configuration are accepted, but have no effect here', { fields: idle })
  const nodeName = (flags['hostname-override'] || hostname()).toLowerCase()
  if (flags.kubeconfig === '') throw new SetupError('The kubelet does not know its API server', 'name a kubeconfig with --kubeconfig=FILE')
  if (!setting('register-node', config.registerNode)) log.warn('the node is registered although --register-node=false: nobody else does')
  using access = apiAccess(
    {
      kubeconfig: flags.kubeconfig,
      qps: setting('kube-api-qps', config.kubeAPIQPS),
      burst: setting('kube-api-burst', config.kubeAPIBurst),
    },
    context,
  )
  const { client } = access
  const nodeIPs = flags['node-ip'] === '' ? [firstAddress() ?? '127.0.0.1'] : flags['node-ip'].split(',')
  const runtime = criRuntime({ address: socketOf(setting('container-runtime-endpoint', config.containerRuntimeEndpoint)), clock, log })
  const rootDirectory = flags['root-dir']
  const cgroupRoot = setting('cgroup-root', config.cgroupRoot) || '/'
  const clientCA = setting('client-ca-file', config.authentication?.x509?.clientCAFile)
  const isServing = setting('enable-server', config.enableServer)
  if (isServing && clientCA === '') log.warn('without --client-ca-file nobody can call this kubelet: logs and exec will not work')
  const server = isServing && clientCA !== '' ? await servingAs(clientCA) : undefined
  const podPidsLimit = setting('pod-max-pids', config.podPidsLimit === undefined ? undefined : Number(config.podPidsLimit))
  const maxPods = setting('max-pods', config.maxPods)
  const podsPerCore = setting('pods-per-core', config.podsPerCore)
  const staticPodPath = setting('pod-manifest-path', config.staticPodPath)
  const containerLogMaxBytes = Quantity.parse(setting('container-log-max-size', config.containerLogMaxSize)).toNumber()

  beKilledLast(setting('oom-score-adj', config.oomScoreAdj), log)
  const kubelet = startKubelet({
    nodeName,
    client,
    runtime,
    clock,
    random,
    log,
    mounter: linuxMounter,
    cgroups: await openCgroups(cgroupRoot),
    rootDirectory,
    logsDirectory: config.podLogsDir ?? '/var/log/pods',
    nodeIPs,
    clusterDNS: setting('cluster-dns', config.clusterDNS),
    clusterDomain: setting('cluster-domain', config.clusterDomain),
    resolvConf: setting('resolv-conf', config.resolvConf),
    ...(staticPodPath === '' ? {} : { staticPodPath }),
    server,
    seccompDefault: setting('seccomp-default', config.seccompDefault),
    labels: flags['node-labels'],
    taints: [
      ...(given.has('register-with-taints') ? flags['register-with-taints'].map(readTaint) : (config.registerWithTaints ?? [])),
      ...(flags['register-schedulable'] ? [] : [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const }]),
      ...(flags['cloud-provider'] === 'external'
        ? [{ key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' as const }]
        : []),
    ],
    ...(flags['provider-id'] || config.providerID ? { providerID: flags['provider-id'] || config.providerID! } : {}),
    maxPods: podsPerCore > 0 ? Math.min(maxPods, podsPerCore * cpus().length) : maxPods,
    allowedUnsafeSysctls: setting('allowed-unsafe-sysctls', config.allowedUnsafeSysctls),
    ...(podPidsLimit > 0 ? { podPidsLimit } : {}),
    reserved: sumOf(setting('system-reserved', config.systemReserved), setting('kube-reserved', config.kubeReserved)),
    eviction: thresholdsOf(setting('eviction-hard', config.evictionHard)),
    images: {
      keep: [],
      highThresholdPercent: setting('image-gc-high-threshold', config.imageGCHighThresholdPercent),
      lowThresholdPercent: setting('image-gc-low-threshold', config.imageGCLowThresholdPercent),
    },
    containerLogMaxBytes,
    containerLogMaxFiles: setting('container-log-max-files', config.containerLogMaxFiles),
  })
  let isReady = false
  try {
    await using _healthz = await servePlain(
      { address: setting('healthz-bind-address', config.healthzBindAddress), port: setting('healthz-port', config.healthzPort) },
      { '/healthz': async () => (isReady ? [200, 'ok'] : [500, 'the kubelet is starting']) },
    )
    await Promise.race([kubelet.ready, untilToldToEnd(signal)])
    isReady = true
    await untilToldToEnd(signal)
  } finally {
    await kubelet.stop()
    runtime.close()
  }

  async function servingAs(clientCaFile: string) {
    const tlsFlags = {
      'cert-dir': flags['cert-dir'],
      'client-ca-file': clientCaFile,
      'tls-cert-file': setting('tls-cert-file', config.tlsCertFile),
      'tls-private-key-file': setting('tls-private-key-file', config.tlsPrivateKeyFile),
      'tls-min-version': setting('tls-min-version', config.tlsMinVersion as never),
      'tls-cipher-suites': setting('tls-cipher-suites', config.tlsCipherSuites),
    }
    const { certificate, key, minVersion, ciphers } = await servingTls(tlsFlags, { name: 'kubelet', ipAddresses: nodeIPs }, clock)
    const at = { address: setting('address', config.address), port: setting('port', config.port) }
    return {
      ...at,
      cert: certificate,
      key,
      clientCA: neededFile('--client-ca-file', clientCaFile),
      pages: pagesByWord(selfPages(context, { kubeletconfig: inForce(config, setting) })),
      minVersion,
      ...(ciphers ? { ciphers } : {}),
    }
  }
})

/** As the kubelet's port takes them: by the first word of the path. */
function pagesByWord(pages: ReturnType<typeof selfPages>): ReturnType<typeof selfPages> {
  return Object.fromEntries(Object.entries(pages).map(([path, page]) => [path.slice(1), page]))
}

function socketOf(endpoint: string): string {
  return endpoint.startsWith('/') ? `unix://${endpoint}` : endpoint
}

/** `key=value:effect` or `key:effect`. */
function readTaint(text: string): Taint {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text)
  if (!match)
    throw new SetupError(`--register-with-taints=${text} is no taint`, 'write it as key=value:effect, such as dedicated=db:NoSchedule')
  return { key: match[1]!, ...(match[2] ? { value: match[2] } : {}), effect: match[3] as Taint['effect'] }
}

function sumOf(...amounts: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const total: Record<string, string> = {}
  for (const each of amounts) {
    for (const [name, text] of Object.entries(each)) {
      total[name] = total[name] === undefined ? text : Quantity.parse(total[name]).add(Quantity.parse(text)).toString()
    }
  }
  return total
}

/** `memory.available` in bytes, `nodefs.available` as a share, `nodefs.inodesFree` and `pid.available` in numbers; what is not said is as by default. */
function thresholdsOf(signals: Readonly<Record<string, string>>): EvictionThresholds {
  const { 'memory.available': memory, 'nodefs.available': disk } = signals
  const share = (text: string) => (text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : undefined)
  return {
    ...DEFAULT_THRESHOLDS,
    ...(memory !== undefined && share(memory) === undefined ? { memoryAvailableBytes: Quantity.parse(memory).toNumber() } : {}),
    ...(disk !== undefined && share(disk) !== undefined ? { diskAvailableShare: share(disk)! } : {}),
  }
}
