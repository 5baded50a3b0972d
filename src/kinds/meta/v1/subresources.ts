import type { Subresource } from '#machinery/kind/kind.ts'

/** `status`: what the system writes, apart from what users write. */
export const statusSubresource: Subresource = { name: 'status', verbs: ['get', 'patch', 'update'] }

/** `scale` of what keeps a number of pods running. */
export const scaleSubresource: Subresource = {
  name: 'scale',
  verbs: ['get', 'patch', 'update'],
  kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
  scale: { replicas: '.spec.replicas', statusReplicas: '.status.replicas', selector: '.spec.selector' },
}
