import type { Pod } from '#kinds/core/v1/pod.ts'

/** The pod's uid, by which the node knows it: names come again, uids do not. */
export function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? ''
}

export function podNameOf(pod: Pod): string {
  return pod.metadata.name ?? ''
}

export function namespaceOf(pod: Pod): string {
  return pod.metadata.namespace ?? 'default'
}

/** `namespace/name`. */
export function podKeyOf(pod: Pod): string {
  return `${namespaceOf(pod)}/${podNameOf(pod)}`
}

/** `name_namespace(uid)`, as upstream names a pod in messages. */
export function describePod(pod: Pod): string {
  return `${podNameOf(pod)}_${namespaceOf(pod)}(${uidOf(pod)})`
}
