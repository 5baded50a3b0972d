import { limitsOf, qosClassOf, requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { uidOf } from '../pods/pod-names.ts'
import type { CgroupLimits } from './cgroups.ts'
import { cpuQuotaOf, cpuSharesOf } from './cpu-units.ts'

/** The group above all pods'. */
export const PODS_GROUP = 'kubepods'
export const QOS_GROUPS = ['burstable', 'besteffort']

/** Where a pod's group is: those of guaranteed pods right below `kubepods`. */
export function podCgroupOf(pod: Pod): string {
  const qos = qosClassOf(pod)
  const parent = qos === 'Guaranteed' ? PODS_GROUP : `${PODS_GROUP}/${qos.toLowerCase()}`
  return `${parent}/pod${uidOf(pod)}`
}

/** What the pod as a whole is limited to: its containers' limits added up, where each of them has one. */
export function podLimitsOf(pod: Pod, pids: number | undefined): CgroupLimits {
  const requests = requestsOf(pod)
  const limits = limitsOf(pod)
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
  const all = (name: string) =>
    pod.spec.resources?.limits?.[name] !== undefined || containers.every(({ resources }) => (resources.limits?.[name] ?? '0') !== '0')
  return {
    cpuShares: cpuSharesOf(requests['cpu'] ?? 0),
    ...(all('cpu') && limits['cpu'] ? { cpuQuota: cpuQuotaOf(limits['cpu']) } : {}),
    ...(all('memory') && limits['memory'] ? { memoryBytes: limits['memory'] } : {}),
    ...(pids === undefined ? {} : { pids }),
  }
}
