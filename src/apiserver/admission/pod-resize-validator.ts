import type { Informers } from '#client/informers/informer.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { amountsOf } from '#kinds/core/v1/resources.facts.ts'
import { equal } from '#machinery/kind/draft.ts'
import { forbidden } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import type { AdmissionPlugin } from './admission.ts'

/** Refuses to resize a pod beyond what its node has in all: that could never happen in place. */
export function podResizeValidator(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'PodResizeValidator',
    validate({ operation, kind, subresource, object, old, name }) {
      if (operation !== 'UPDATE' || kind.kind !== 'Pod' || kind.group !== '' || subresource !== 'resize') return
      const pod = object as unknown as Pod
      const { nodeName } = pod.spec
      if (!nodeName || equal(pod.spec, (old as Pod).spec)) return
      const refuse = (why: string, reason?: string) => {
        const refusal = forbidden({ group: '', resource: 'pods' }, name, why)
        return reason
          ? new StatusError({ ...refusal, message: refusal.message, details: { ...refusal.details, causes: [{ reason }] } })
          : refusal
      }
      const node = informers().of(Node).get('', nodeName)
      if (!node) throw refuse(`node ${quote(nodeName)} not found`)
      const short = shortages(pod, node)
      if (short.length > 0) throw refuse(`Node didn't have enough allocatable resources: ${short.join('; ')}`, 'NodeCapacity')
      const os = node.metadata.labels?.['kubernetes.io/os'] ?? ''
      if (os === 'linux') return
      throw refuse(`pod resize is only supported on linux nodes, node ${quote(nodeName)} is ${quote(os)}`, 'UnsupportedPlatform')
    },
  }
}

/** What the pod asks for and the node does not have: cpu in thousandths, memory in bytes. */
function shortages(pod: Pod, node: Node): string[] {
  const requests = requestsOf(pod)
  const allocatable = amountsOf(node.status.allocatable)
  return ['cpu', 'memory'].flatMap(resource => {
    const [requested = 0, has = 0] = [requests[resource], allocatable[resource]]
    return requested > has ? [`${resource}, requested: ${requested}, allocatable: ${has}`] : []
  })
}
