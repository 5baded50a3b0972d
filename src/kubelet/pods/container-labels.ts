import type { Container } from '#kinds/core/v1/container.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { namespaceOf, podNameOf, uidOf } from './pod-names.ts'

/**
 * What the kubelet writes on sandboxes and containers, in upstream's words: it is all a restarted kubelet (of either make) needs to take over
 * what runs.
 */
export const label = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const

export const annotation = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  gracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const

export function sandboxLabels(pod: Pod): Record<string, string> {
  return { ...pod.metadata.labels, [label.podName]: podNameOf(pod), [label.podNamespace]: namespaceOf(pod), [label.podUid]: uidOf(pod) }
}

export function containerLabels(pod: Pod, containerName: string): Record<string, string> {
  return {
    [label.podName]: podNameOf(pod),
    [label.podNamespace]: namespaceOf(pod),
    [label.podUid]: uidOf(pod),
    [label.containerName]: containerName,
  }
}

export function containerAnnotations(pod: Pod, container: Container, attempt: number): Record<string, string> {
  return {
    [annotation.hash]: containerHash(container),
    [annotation.restartCount]: String(attempt),
    [annotation.terminationMessagePath]: container.terminationMessagePath,
    [annotation.terminationMessagePolicy]: container.terminationMessagePolicy,
    [annotation.gracePeriod]: String(pod.spec.terminationGracePeriodSeconds),
  }
}

/** Changes when the container has to be made anew: its name or image is another. What else may change in a running pod does so in place. */
export function containerHash(container: Container): string {
  const text = `${container.name}\n${container.image ?? ''}`
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
  return hash.toString(16)
}
