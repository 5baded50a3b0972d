import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { Toleration } from '#kinds/core/v1/toleration.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { list, message, omitempty, type StoredOf } from '#machinery/schema/schema.ts'
import { forbidden, internalError } from '#machinery/status/failures.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations'
const WHITELIST = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'

/** What pods tolerate (podtolerationrestriction.admission.k8s.io/v1alpha1, `Configuration`). */
export const PodTolerationRestrictionConfiguration = message('io.k8s.podtolerationrestriction.v1alpha1.Configuration', {
  default: omitempty(1, list(Toleration), 'What pods get where their namespace does not say.'),
  whitelist: omitempty(2, list(Toleration), 'What pods may have where their namespace does not say.'),
})
export interface PodTolerationRestrictionConfiguration extends StoredOf<typeof PodTolerationRestrictionConfiguration> {}

/**
 * Pods get the tolerations that an annotation of their namespace adds, and may have no others than another one lists. A namespace without
 * the annotation, not one with an empty one, goes by the configuration.
 */
export function podTolerationRestriction(
  informers: () => Informers,
  configured: PodTolerationRestrictionConfiguration = {},
): AdmissionPlugin {
  const listed = ({ namespace }: AdmissionRequest, annotation: string, otherwise: readonly Toleration[] = []): readonly Toleration[] => {
    const text = informers().of(Namespace).get('', namespace)?.metadata.annotations?.[annotation]
    if (text === undefined) return otherwise
    if (text === '') return []
    try {
      return parseJson(text) as readonly Toleration[]
    } catch (error) {
      throw internalError(new Error(`the annotation ${annotation} of namespace ${namespace} is no JSON: ${(error as Error).message}`))
    }
  }
  return {
    name: 'PodTolerationRestriction',
    admit(request) {
      if (!isPodWrite(request)) return
      const { spec } = request.object as Mutable<Pod>
      const defaults = request.operation === 'CREATE' ? listed(request, DEFAULTS, configured.default) : []
      const missing = defaults.filter(one => !spec.tolerations?.some(own => covers(own as Toleration, one)))
      if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing.map(one => ({ ...one }))]
    },
    validate(request) {
      if (!isPodWrite(request)) return
      const allowed = listed(request, WHITELIST, configured.whitelist)
      const { metadata, spec } = request.object as unknown as Pod
      if (allowed.length === 0 || (spec.tolerations ?? []).every(one => allowed.some(other => covers(other, one)))) return
      const why = 'pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist'
      throw forbidden({ group: '', resource: 'pods' }, metadata.name ?? '', why)
    },
  }
}

/** Whether all that `one` tolerates is tolerated by `wide` as well. */
function covers(wide: Toleration, one: Toleration): boolean {
  if (equal(wide, one)) return true
  if (wide.key && wide.key !== one.key) return false
  if (wide.effect && wide.effect !== one.effect) return false
  if (wide.operator === 'Exists') return wide.tolerationSeconds === undefined || wide.tolerationSeconds === one.tolerationSeconds
  return (
    (one.operator ?? 'Equal') === 'Equal' && (wide.value ?? '') === (one.value ?? '') && wide.tolerationSeconds === one.tolerationSeconds
  )
}

function isPodWrite({ operation, kind, subresource }: AdmissionRequest): boolean {
  return kind.kind === 'Pod' && kind.group === '' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE')
}
