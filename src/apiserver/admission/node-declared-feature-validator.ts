import type { Informers } from '#client/informers/informer.ts'
import { Node } from '#kinds/core/v1/node.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { equal } from '#machinery/kind/draft.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { forbidden } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { AdmissionPlugin } from './admission.ts'

/** What a change of a running pod asks of its kubelet (KEP-5328): features by the names under which nodes declare them. */
const FEATURES: readonly { readonly name: string; isNeededBy(pod: Pod, old: Pod): boolean }[] = [
  {
    name: 'GuaranteedQoSPodCPUResize',
    isNeededBy: ({ spec }, old) =>
      old.status.qosClass === 'Guaranteed' &&
      old.spec.containers.some(({ resources }, index) => cpuOf(resources).compare(cpuOf(spec.containers[index]?.resources)) !== 0),
  },
  {
    name: 'InPlacePodLevelResourcesVerticalScaling',
    isNeededBy: ({ spec }, old) => !equal(spec.resources, old.spec.resources),
  },
]

/** Refuses to change a pod into what the kubelet of its node does not declare to know. */
export function nodeDeclaredFeatureValidator(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'NodeDeclaredFeatureValidator',
    validate({ operation, kind, subresource, object, old, name }) {
      if (operation !== 'UPDATE' || kind.kind !== 'Pod' || kind.group !== '' || !(subresource === '' || subresource === 'resize')) return
      const pod = object as unknown as Pod
      const { nodeName } = pod.spec
      if (!nodeName) return
      const needed = FEATURES.filter(feature => feature.isNeededBy(pod, old as Pod))
      if (needed.length === 0) return
      const refuse = (why: string) => forbidden({ group: '', resource: 'pods' }, name, why)
      const node = informers().of(Node).get('', nodeName)
      if (!node) throw refuse(`node ${quote(nodeName)} not found`)
      const missing = needed.map(feature => feature.name).filter(feature => !node.status.declaredFeatures?.includes(feature))
      if (missing.length === 0) return
      throw refuse(`pod update requires features ${missing.join(', ')} which are not available on node ${quote(nodeName)}`)
    },
  }
}

function cpuOf(resources: Pod['spec']['containers'][number]['resources'] | undefined): Quantity {
  return Quantity.parse(resources?.requests?.['cpu'] ?? '0')
}
