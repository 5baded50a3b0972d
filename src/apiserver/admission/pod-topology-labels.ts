import type { Informers } from '#client/informers/informer.ts'
import type { Binding } from '#kinds/core/v1/binding.ts'
import { Node } from '#kinds/core/v1/node.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import type { AdmissionPlugin } from './admission.ts'

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/** Tells a pod where it runs: the zone and region of its node become labels of the pod, once it is bound. */
export function podTopologyLabels(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    admit({ operation, kind, subresource, object }) {
      if (operation !== 'CREATE' || kind.kind !== 'Pod' || kind.group !== '' || !object) return
      const node = nodeOf(object, subresource)
      if (!node) return
      const labels = informers().of(Node).get('', node)?.metadata.labels ?? {}
      const known = LABELS.flatMap(name => (labels[name] === undefined ? [] : [[name, labels[name]!] as const]))
      if (known.length > 0) object.metadata.labels = { ...object.metadata.labels, ...Object.fromEntries(known) }
    },
  }
}

/** The node that is named by a pod, or by the binding of one. */
function nodeOf(object: unknown, subresource: string): string | undefined {
  if (subresource === '') return (object as Mutable<Pod>).spec.nodeName
  if (subresource !== 'binding') return undefined
  const { target } = object as Binding
  return target.kind === undefined || target.kind === 'Node' ? target.name : undefined
}
