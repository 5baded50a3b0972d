import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container } from '#kinds/core/v1/container.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Secret } from '#kinds/core/v1/secret.ts'
import { ImageError } from '../images/image-puller.ts'
import type { SandboxConfig, SandboxStatus } from '../runtime/runtime.ts'
import type { MountedVolume } from '../volumes/volume-plugin.ts'
import { containerConfigOf } from './container-config.ts'
import { mountsOf } from './container-mounts.ts'
import { ContainerConfigError, environmentOf } from './environment.ts'
import { hostsFile, nodeHostsFile } from './hosts-file.ts'
import { runHook } from './lifecycle-hooks.ts'
import type { ContainerStart, Waiting } from './pod.plan.ts'
import { terminationLogFile } from './pod-directories.ts'
import type { PodHost } from './pod-host.ts'
import { uidOf } from './pod-names.ts'
import { hostnameOf } from './sandbox-config.ts'
import { readNodeHosts } from './termination-message.ts'

/** A container was not started; what its status shall say, and when another try is due. */
export class StartFailure extends Error {
  readonly waiting: Waiting
  readonly retryAtMs: number | undefined

  constructor(waiting: Waiting, retryAtMs?: number) {
    super(waiting.message)
    this.waiting = waiting
    this.retryAtMs = retryAtMs
  }
}

export interface StartRequest {
  readonly pod: Pod
  readonly start: ContainerStart
  readonly sandbox: Pick<SandboxStatus, 'id' | 'ips'>
  readonly sandboxConfig: SandboxConfig
  readonly volumes: ReadonlyMap<string, MountedVolume>
  readonly secrets: readonly Secret[]
  /** The running container whose processes an ephemeral one shall see. */
  readonly targetId: string | undefined
  /** Nothing is started any more once it aborts. */
  readonly signal: AbortSignal
  /** Called when the container runs, before its postStart hook. */
  readonly onStarted: () => void
}

/** Makes and starts one container; rejects with a {@link StartFailure}. */
export async function startContainer(host: PodHost, request: StartRequest): Promise<void> {
  const { pod, start } = request
  const { container } = start
  const fail = (reason: string, message: string, retryAtMs?: number): never => {
    host.events.warning(
      pod,
      'Failed',
      `Error: ${reason.startsWith('ErrImage') || reason === 'ImagePullBackOff' ? reason : message}`,
      container.name,
    )
    throw new StartFailure({ reason, message }, retryAtMs)
  }
  const image = await host.images.ensure(pod, container, request.secrets, request.sandboxConfig).catch((error: unknown) => {
    if (error instanceof ImageError) return fail(error.reason, error.message, error.retryAtMs)
    throw error
  })
  const config = await configure(host, request, image).catch((error: unknown) => {
    if (error instanceof ContainerConfigError) return fail(error.reason, error.message)
    return fail('CreateContainerConfigError', (error as Error).message)
  })
  const { runtime } = host
  if (request.signal.aborted) return
  const id = await runtime
    .createContainer(request.sandbox.id, config, request.sandboxConfig)
    .catch((error: Error) => fail('CreateContainerError', error.message))
  host.events.normal(pod, 'Created', 'Container created', container.name)
  if (request.signal.aborted) return
  await runtime.startContainer(id).catch((error: Error) => fail('RunContainerError', `failed to start container "${id}": ${error.message}`))
  host.events.normal(pod, 'Started', 'Container started', container.name)
  request.onStarted()
  await runPostStart(host, request, id)
}

async function configure(host: PodHost, request: StartRequest, image: Awaited<ReturnType<PodHost['images']['ensure']>>) {
  const { pod, start, sandbox } = request
  const { container, attempt } = start
  const podIPs = pod.spec.hostNetwork ? host.nodeIPs : sandbox.ips
  const running = { podIPs, nodeIPs: host.nodeIPs, allocatable: host.allocatable() }
  const environment = await environmentOf(pod, container, host.references, running)
  const directory = host.volumes.podDirectory(uidOf(pod))
  const files = { hosts: join(directory, 'etc-hosts'), terminationLog: terminationLogFile(directory, container.name, attempt) }
  await writeHosts(host, pod, podIPs, files.hosts)
  const { mounts, devices } = await mountsOf(container, request.volumes, environment, files)
  return containerConfigOf(pod, container, {
    attempt,
    image,
    environment,
    mounts,
    devices,
    seccompDirectory: host.seccompDirectory,
    seccompDefault: host.seccompDefault,
    nodeMemoryBytes: host.nodeMemoryBytes,
    targetId: request.targetId,
  })
}

async function writeHosts(host: PodHost, pod: Pod, podIPs: readonly string[], path: string): Promise<void> {
  const aliases = pod.spec.hostAliases ?? []
  const { hostname, fqdn } = hostnameOf(pod, host.nodeName, host.dns.clusterDomain)
  const text = pod.spec.hostNetwork
    ? nodeHostsFile(await readNodeHosts(host.nodeHostsPath), aliases)
    : hostsFile(podIPs, hostname, fqdn, aliases)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, text, { mode: 0o644 })
}

/** A container whose postStart hook fails is killed. */
async function runPostStart(host: PodHost, request: StartRequest, containerId: string): Promise<void> {
  const { pod, start, sandbox } = request
  const hook = start.container.lifecycle?.postStart
  if (!hook || start.kind === 'ephemeral') return
  const target = {
    container: start.container as Container,
    containerId,
    podIP: (pod.spec.hostNetwork ? host.nodeIPs : sandbox.ips)[0] ?? '',
  }
  try {
    await runHook(hook, target, { runtime: host.runtime, clock: host.clock, timeoutSeconds: 0 })
  } catch (error) {
    host.log.verbose('a postStart hook failed', { container: start.container.name, error: (error as Error).message })
    host.events.warning(pod, 'FailedPostStartHook', 'PostStartHook failed', start.container.name)
    host.events.normal(pod, 'Killing', 'FailedPostStartHook', start.container.name)
    await host.runtime.stopContainer(containerId, pod.spec.terminationGracePeriodSeconds)
    throw new StartFailure({ reason: 'PostStartHookError', message: `PostStartHook failed: ${(error as Error).message}` })
  }
}
