import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Toleration } from '#kinds/core/v1/toleration.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { forbidden, internalError } from '#machinery/status/failures.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'

const DEFAULTS = 'scheduler.alpha.kubernetes.io/defaultTolerations'
const WHITELIST = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'

/** Pods get the tolerations that an annotation of their namespace adds, and may have no others than another one lists. */
export function podTolerationRestriction(informers: () => Informers): AdmissionPlugin {
  const listed = ({ namespace }: AdmissionRequest, annotation: string): readonly Toleration[] => {
    const text = informers().of(Namespace).get('', namespace)?.metadata.annotations?.[annotation]
    if (!text) return []
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
      const defaults = request.operation === 'CREATE' ? listed(request, DEFAULTS) : []
      const missing = defaults.filter(one => !spec.tolerations?.some(own => covers(own as Toleration, one)))
      if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing.map(one => ({ ...one }))]
    },
    validate(request) {
      if (!isPodWrite(request)) return
      const allowed = listed(request, WHITELIST)
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
