import type { Pod } from '#kinds/core/v1/pod.ts'

/** Where a kubelet tells what happens to a pod; `container` makes it the event of that container. */
export interface PodEvents {
  normal(pod: Pod, reason: string, message: string, container?: string): void
  warning(pod: Pod, reason: string, message: string, container?: string): void
}
