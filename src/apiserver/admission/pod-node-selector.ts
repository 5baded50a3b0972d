import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { parseLabelSelector } from '#machinery/selectors/parse-label-selector.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector'

/** Pods run on the nodes that an annotation of their namespace names. */
export function podNodeSelector(informers: () => Informers): AdmissionPlugin {
  const wantedOf = ({ namespace }: AdmissionRequest) => {
    const text = informers().of(Namespace).get('', namespace)?.metadata.annotations?.[ANNOTATION] ?? ''
    return Object.fromEntries(parseLabelSelector(text).requirements.map(({ key, values }) => [key, values[0] ?? '']))
  }
  const check = ({ metadata, spec }: Pod, wanted: Readonly<Record<string, string>>) => {
    const isOther = Object.entries(wanted).some(([key, value]) => (spec.nodeSelector?.[key] ?? value) !== value)
    if (!isOther) return
    throw forbidden(
      { group: '', resource: 'pods' },
      metadata.name ?? '',
      'pod node label selector conflicts with its namespace node label selector',
    )
  }
  return {
    name: 'PodNodeSelector',
    admit(request) {
      if (!isNewPod(request)) return
      const pod = request.object as Mutable<Pod>
      const wanted = wantedOf(request)
      check(pod as unknown as Pod, wanted)
      if (Object.keys(wanted).length > 0) pod.spec.nodeSelector = { ...pod.spec.nodeSelector, ...wanted }
    },
    validate(request) {
      if (isNewPod(request)) check(request.object as unknown as Pod, wantedOf(request))
    },
  }
}

function isNewPod({ operation, kind, subresource }: AdmissionRequest): boolean {
  return operation === 'CREATE' && kind.kind === 'Pod' && kind.group === '' && subresource === ''
}
