/** Pods and runtime states for the tests of this folder. */
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodSpec } from '#kinds/core/v1/pod-spec.ts'
import type { SandboxStatus } from '../runtime/runtime.ts'
import { annotation, containerHash } from './container-labels.ts'
import type { ObservedContainer, PodState } from './pod-state.ts'
import { readPod } from './read-pod.ts'

export const NOW = Date.UTC(2026, 0, 1, 12)

/** A pod `web` in `default` with its defaults, of containers by name (or more of them). */
export function pod(containers: readonly (string | object)[], spec: object = {}, metadata: object = {}): Pod {
  const whole = (container: string | object) =>
    typeof container === 'string' ? { name: container, image: `${container}:1` } : { image: 'app:1', ...container }
  const { initContainers = [], ...rest } = spec as { initContainers?: (string | object)[] }
  return readPod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', uid: 'u1', ...metadata },
    spec: {
      nodeName: 'n1',
      containers: containers.map(whole),
      ...(initContainers.length > 0 ? { initContainers: initContainers.map(whole) } : {}),
      ...rest,
    },
  })
}

export function sandbox(ready = true, attempt = 0): SandboxStatus {
  const metadata = { name: 'web', namespace: 'default', uid: 'u1', attempt }
  return {
    id: `s${attempt}`,
    metadata,
    ready,
    createdAtMs: NOW - 60_000 + attempt,
    labels: {},
    annotations: {},
    ips: ready ? ['10.1.0.5'] : [],
  }
}

/** A container of the pod: `running`, or the exit code it ended with. */
export function container(
  name: string,
  how: 'running' | 'created' | number,
  more: Partial<ObservedContainer> = {},
  spec?: PodSpec,
): ObservedContainer {
  const attempt = more.attempt ?? 0
  const own = spec && [...(spec.initContainers ?? []), ...spec.containers].find(one => one.name === name)
  return {
    id: `${name}-${attempt}`,
    sandboxId: 's0',
    name,
    attempt,
    state: how === 'running' || how === 'created' ? how : 'exited',
    createdAtMs: NOW - 50_000,
    startedAtMs: NOW - 50_000,
    finishedAtMs: typeof how === 'number' ? NOW - 1000 : 0,
    exitCode: typeof how === 'number' ? how : 0,
    image: `${name}:1`,
    imageRef: `sha256:${name}`,
    reason: '',
    message: '',
    labels: {},
    annotations: own ? { [annotation.hash]: containerHash(own) } : {},
    logPath: '',
    ...more,
  }
}

export function state(containers: readonly ObservedContainer[], sandboxes: readonly SandboxStatus[] = [sandbox()]): PodState {
  return { sandboxes, containers }
}
