import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { map, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { parseLabelSelector } from '#machinery/selectors/parse-label-selector.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const ANNOTATION = 'scheduler.alpha.kubernetes.io/node-selector'

/** Where pods may run (a file without `apiVersion` and `kind`). */
export const PodNodeSelectorConfiguration = message('io.k8s.podnodeselector.Configuration', {
  podNodeSelectorPluginConfig: omitempty(
    1,
    map(string),
    'By namespace, the labels of nodes that its pods may ask for; by `clusterDefaultNodeSelector`, what counts where a namespace has no annotation.',
  ),
})
export interface PodNodeSelectorConfiguration extends StoredOf<typeof PodNodeSelectorConfiguration> {}

/** Reports selectors that are none. */
export function validatePodNodeSelector({ podNodeSelectorPluginConfig = {} }: PodNodeSelectorConfiguration, errors: FieldErrors): void {
  for (const [name, text] of Object.entries(podNodeSelectorPluginConfig)) {
    try {
      labelsIn(text)
    } catch (error) {
      errors
        .at('podNodeSelectorPluginConfig')
        .at(name)
        .invalid(text, (error as Error).message)
    }
  }
}

const CLUSTER = 'clusterDefaultNodeSelector'

/** Pods run on the nodes that an annotation of their namespace names, or the configuration. */
export function podNodeSelector(
  informers: () => Informers,
  { podNodeSelectorPluginConfig = {} }: PodNodeSelectorConfiguration = {},
): AdmissionPlugin {
  const configured = new Map(Object.entries(podNodeSelectorPluginConfig))
  const wantedOf = ({ namespace }: AdmissionRequest) => {
    const annotation = informers().of(Namespace).get('', namespace)?.metadata.annotations?.[ANNOTATION]
    return labelsIn(annotation ?? configured.get(CLUSTER) ?? '')
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
  const checkAllowed = ({ metadata, spec }: Pod, namespace: string) => {
    const allowed = new Map(Object.entries(labelsIn(configured.get(namespace) ?? '')))
    if (allowed.size === 0 || Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => allowed.get(key) === value)) return
    throw forbidden(
      { group: '', resource: 'pods' },
      metadata.name ?? '',
      'pod node label selector labels conflict with its namespace whitelist',
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
      if (!isNewPod(request)) return
      const pod = request.object as unknown as Pod
      check(pod, wantedOf(request))
      checkAllowed(pod, request.namespace)
    },
  }
}

/** The labels that a selector of the form `key=value,…` asks for. */
function labelsIn(text: string): Record<string, string> {
  return Object.fromEntries(parseLabelSelector(text).requirements.map(({ key, values }) => [key, values[0] ?? '']))
}

function isNewPod({ operation, kind, subresource }: AdmissionRequest): boolean {
  return operation === 'CREATE' && kind.kind === 'Pod' && kind.group === '' && subresource === ''
}
