import { sleep } from '#base/time/clock.ts'
import type { Container } from '#kinds/core/v1/container.ts'
import { allContainers, isSidecar } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { runHook } from './lifecycle-hooks.ts'
import type { PodHost } from './pod-host.ts'
import { isRunning, latestOf, type ObservedContainer, type PodState, readySandboxOf } from './pod-state.ts'

/** A container is given at least this long to end after its preStop hook has used up the grace period. */
const LEAST_GRACE_SECONDS = 2

/** Stops one container: its preStop hook first, then its process, both within `graceSeconds`. */
export async function stopContainer(
  host: PodHost,
  pod: Pod,
  state: PodState,
  container: ObservedContainer,
  message: string,
  graceSeconds: number,
  signal?: AbortSignal,
): Promise<void> {
  host.events.normal(pod, 'Killing', message, container.name)
  const spec = find(pod, container.name)
  let remaining = graceSeconds
  if (spec?.lifecycle?.preStop && graceSeconds > 0 && isRunning(container)) {
    const startedMs = host.clock.monotonic()
    await runPreStop(host, pod, state, spec, container, graceSeconds, signal)
    remaining -= Math.floor((host.clock.monotonic() - startedMs) / 1000)
    remaining = Math.max(remaining, LEAST_GRACE_SECONDS)
  }
  if (signal?.aborted) return
  await host.runtime.stopContainer(container.id, remaining)
}

async function runPreStop(
  host: PodHost,
  pod: Pod,
  state: PodState,
  container: Container,
  observed: ObservedContainer,
  graceSeconds: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const podIP = (pod.spec.hostNetwork ? host.nodeIPs : readySandboxOf(state)?.ips)?.[0] ?? ''
  const enough = new AbortController()
  const end = () => enough.abort(new Error('the grace period has been shortened'))
  signal?.addEventListener('abort', end, { once: true })
  const hook = runHook(
    container.lifecycle!.preStop!,
    { container, containerId: observed.id, podIP },
    { runtime: host.runtime, clock: host.clock, timeoutSeconds: graceSeconds, signal: enough.signal },
  ).catch((error: Error) => {
    if (enough.signal.aborted) return
    host.log.verbose('a preStop hook failed', { container: container.name, error: error.message })
    host.events.warning(pod, 'FailedPreStopHook', 'PreStopHook failed', container.name)
  })
  const late = sleep(host.clock, graceSeconds * 1000, enough.signal).catch(() => undefined)
  await Promise.race([hook, late])
  end()
  signal?.removeEventListener('abort', end)
}

/** Stops all of a pod's containers: first the main ones, at once, then the sidecars in the reverse order of their start. */
export async function stopAll(host: PodHost, pod: Pod, state: PodState, graceSeconds: number, signal?: AbortSignal): Promise<void> {
  const startedMs = host.clock.monotonic()
  const left = () => Math.max(graceSeconds === 0 ? 0 : 1, Math.floor(graceSeconds - (host.clock.monotonic() - startedMs) / 1000))
  const stop = (container: ObservedContainer) =>
    stopContainer(host, pod, state, container, `Stopping container ${container.name}`, left(), signal)
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name)
  await Promise.all(state.containers.filter(container => isRunning(container) && !sidecars.includes(container.name)).map(stop))
  for (const name of sidecars.reverse()) {
    const sidecar = latestOf(state, name)
    if (sidecar && isRunning(sidecar)) await stop(sidecar)
  }
}

function find(pod: Pod, name: string): Container | undefined {
  for (const container of allContainers(pod.spec)) if (container.name === name) return container as Container
  return undefined
}
