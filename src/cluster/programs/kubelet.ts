import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Taint } from '#kinds/core/v1/node.ts'
import { DEFAULT_THRESHOLDS, type EvictionThresholds } from '#kubelet/eviction/eviction.plan.ts'
import { startKubelet } from '#kubelet/kubelet.ts'
import { openCgroups } from '#kubelet/resources/cgroup-fs.ts'
import { criRuntime } from '#kubelet/runtime/cri/cri-runtime.ts'
import { linuxMounter } from '#kubelet/volumes/linux-mounter.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { apiClient } from '../flags/api-client.ts'
import { selfSigned, servePlain } from '../flags/component-server.ts'
import { kubelet as program } from '../flags/kubelet.ts'
import { type KubeletConfiguration, kubeletConfiguration, withoutEffect } from '../flags/kubelet-configuration.ts'
import { configOf, readNamedFile, runProgram, untilToldToEnd } from '../flags/run-program.ts'
import { firstAddress } from '../machine/addresses.ts'
import { SetupError } from '../setup-error.ts'

await runProgram(program, async ({ flags, given, log, clock, random, signal }) => {
  const config: KubeletConfiguration = configOf(kubeletConfiguration, flags.config) ?? {}
  for (const field of withoutEffect(config)) log.verbose('a field of the configuration has no effect here', { field })
  /** A flag on the command line counts before the file, the file before the flag's default. */
  const setting = <T>(flag: keyof typeof flags, inFile: T | undefined): T =>
    given.has(flag) || inFile === undefined ? (flags[flag] as T) : inFile

  const nodeName = (flags['hostname-override'] || hostname()).toLowerCase()
  if (flags.kubeconfig === '') throw new SetupError('The kubelet does not know its API server', 'name a kubeconfig with --kubeconfig=FILE')
  if (!setting('register-node', config.registerNode)) log.warn('the node is registered although --register-node=false: nobody else does')
  using client = apiClient(
    {
      kubeconfig: flags.kubeconfig,
      qps: setting('kube-api-qps', config.kubeAPIQPS),
      burst: setting('kube-api-burst', config.kubeAPIBurst),
    },
    'kubelet',
    clock,
  )
  const nodeIPs = flags['node-ip'] === '' ? [firstAddress() ?? '127.0.0.1'] : flags['node-ip'].split(',')
  const runtime = criRuntime({ address: socketOf(setting('container-runtime-endpoint', config.containerRuntimeEndpoint)), clock, log })
  const rootDirectory = flags['root-dir']
  const cgroupRoot = setting<string>('cgroup-root', config.cgroupRoot) || '/'
  const clientCA = setting<string>('client-ca-file', config.authentication?.x509?.clientCAFile)
  const isServing = setting<boolean>('enable-server', config.enableServer)
  if (isServing && clientCA === '') log.warn('without --client-ca-file nobody can call this kubelet: logs and exec will not work')
  const server =
    isServing && clientCA !== ''
      ? {
          address: setting<string>('address', config.address),
          port: setting<number>('port', config.port),
          clientCA: readNamedFile('client-ca-file', clientCA).toString(),
          ...(await serverCredential()),
        }
      : undefined
  const podPidsLimit = setting<number>('pod-max-pids', config.podPidsLimit === undefined ? undefined : Number(config.podPidsLimit))
  const staticPodPath = setting<string>('pod-manifest-path', config.staticPodPath)
  const containerLogMaxBytes = Quantity.parse(setting<string>('container-log-max-size', config.containerLogMaxSize)).toNumber()

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
    labels: flags['node-labels'],
    taints: [
      ...(given.has('register-with-taints') ? flags['register-with-taints'].map(readTaint) : (config.registerWithTaints ?? [])),
      ...(flags['register-schedulable'] ? [] : [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' as const }]),
      ...(flags['cloud-provider'] === 'external'
        ? [{ key: 'node.cloudprovider.kubernetes.io/uninitialized', value: 'true', effect: 'NoSchedule' as const }]
        : []),
    ],
    ...(flags['provider-id'] || config.providerID ? { providerID: flags['provider-id'] || config.providerID! } : {}),
    maxPods: setting('max-pods', config.maxPods),
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

  /** The certificate that was given, or one of its own that is kept in `--cert-dir`. */
  async function serverCredential(): Promise<{ cert: string; key: string }> {
    const certFile = setting<string>('tls-cert-file', config.tlsCertFile)
    const keyFile = setting<string>('tls-private-key-file', config.tlsPrivateKeyFile)
    if (certFile !== '' || keyFile !== '') {
      return { cert: readNamedFile('tls-cert-file', certFile).toString(), key: readNamedFile('tls-private-key-file', keyFile).toString() }
    }
    const [cert, key] = [join(flags['cert-dir'], 'kubelet.crt'), join(flags['cert-dir'], 'kubelet.key')]
    if (existsSync(cert) && existsSync(key)) return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
    const own = await selfSigned(nodeName, clock, nodeIPs)
    mkdirSync(flags['cert-dir'], { recursive: true })
    writeFileSync(cert, own.cert)
    writeFileSync(key, own.key, { mode: 0o600 })
    return own
  }
})

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
