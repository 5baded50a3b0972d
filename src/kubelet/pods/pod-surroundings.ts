import { mkdir } from 'node:fs/promises'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Secret } from '#kinds/core/v1/secret.ts'
import { podCgroupOf, podLimitsOf } from '../resources/pod-cgroup.ts'
import type { SandboxConfig } from '../runtime/runtime.ts'
import type { MountedVolume } from '../volumes/volume-plugin.ts'
import { dnsOf } from './dns.ts'
import { podLogDirectory } from './pod-directories.ts'
import type { PodHost } from './pod-host.ts'
import { namespaceOf, podKeyOf, uidOf } from './pod-names.ts'
import { sandboxConfigOf } from './sandbox-config.ts'

const VOLUME_REFRESH_MS = 60_000
const NEVER = Number.POSITIVE_INFINITY

/** What a pod's containers stand in: its directories, its control group, its volumes, and what its sandbox is made of. */
export class PodSurroundings {
  readonly #host: PodHost
  #volumes: ReadonlyMap<string, MountedVolume> | undefined
  #refreshAtMs = 0

  constructor(host: PodHost) {
    this.#host = host
  }

  /** The volumes that {@link prepare} has set up. */
  get volumes(): ReadonlyMap<string, MountedVolume> {
    return this.#volumes ?? new Map()
  }

  /** Makes what must be there before the sandbox; false if a volume is not to be had, which an event says. */
  async prepare(pod: Pod, podIPs: readonly string[]): Promise<boolean> {
    const { cgroups, volumes, logsDirectory, events, log, podPids, clock } = this.#host
    await mkdir(volumes.podDirectory(uidOf(pod)), { recursive: true, mode: 0o750 })
    await mkdir(podLogDirectory(logsDirectory, pod), { recursive: true, mode: 0o755 })
    await cgroups.create(podCgroupOf(pod), podLimitsOf(pod, podPids))
    if (this.#volumes) return true
    const { mounted, failures } = await volumes.setUp(pod, this.#volumeContext(podIPs))
    for (const { volume, error } of failures) {
      events.warning(pod, 'FailedMount', `MountVolume.SetUp failed for volume "${volume}" : ${error.message}`)
      log.verbose('a volume could not be set up', { pod: podKeyOf(pod), volume, error: error.message })
    }
    if (failures.length > 0) return false
    this.#volumes = mounted
    const due = [...mounted.values()].map(({ refreshAtMs }) => refreshAtMs ?? NEVER)
    this.#refreshAtMs = Math.min(clock.now() + VOLUME_REFRESH_MS, ...due)
    return true
  }

  /** Brings the volumes of a running pod up to date that show what may have changed; answers when the next time is. */
  async refresh(pod: Pod, podIPs: readonly string[]): Promise<number> {
    const { clock, volumes, log } = this.#host
    const sources = pod.spec.volumes ?? []
    if (!sources.some(({ configMap, secret, projected, downwardAPI }) => configMap || secret || projected || downwardAPI)) return NEVER
    const now = clock.now()
    if (now < this.#refreshAtMs) return this.#refreshAtMs
    const { failures, refreshAtMs } = await volumes.refresh(pod, this.#volumeContext(podIPs))
    for (const { volume, error } of failures) {
      log.verbose('a volume could not be refreshed', { pod: podKeyOf(pod), volume, error: error.message })
    }
    this.#refreshAtMs = Math.min(now + VOLUME_REFRESH_MS, refreshAtMs ?? NEVER)
    return this.#refreshAtMs
  }

  /** Removes all of it. */
  async remove(pod: Pod): Promise<void> {
    await this.#host.volumes.tearDown(uidOf(pod))
    await this.#host.cgroups.remove(podCgroupOf(pod))
    this.#volumes = undefined
  }

  /** What the pod's sandbox is made of. */
  async sandboxConfig(pod: Pod, attempt: number): Promise<SandboxConfig> {
    const { nodeName, dns, cgroups, logsDirectory, seccompDirectory } = this.#host
    const parent = cgroups.absolute(podCgroupOf(pod))
    return sandboxConfigOf(pod, attempt, {
      nodeName,
      dns: dnsOf(pod, dns),
      clusterDomain: dns.clusterDomain,
      logDirectory: podLogDirectory(logsDirectory, pod),
      cgroupParent: parent === '' ? undefined : parent,
      seccompDirectory,
      runtimeHandler: await this.#host.runtimeHandler(pod),
    })
  }

  /** The secrets its images are pulled with; one that cannot be had is left out, which an event says. */
  async pullSecrets(pod: Pod): Promise<Secret[]> {
    const found: Secret[] = []
    for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
      try {
        found.push(await this.#host.references.secret(namespaceOf(pod), name))
      } catch {
        const message = `Unable to retrieve some image pull secrets (${name}); attempting to pull the image may not succeed.`
        this.#host.events.warning(pod, 'FailedToRetrieveImagePullSecret', message)
      }
    }
    return found
  }

  #volumeContext(podIPs: readonly string[]) {
    const { references, tokens, nodeIPs, clock } = this.#host
    return { references, tokens, running: { podIPs, nodeIPs, allocatable: this.#host.allocatable() }, now: clock.now() }
  }
}
