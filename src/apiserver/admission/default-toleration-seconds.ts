import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import type { AdmissionPlugin } from './admission.ts'

const KEYS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

/** Lets pods stay for some time on a node that is not ready or not reachable, unless they say otherwise. Seconds. */
export function defaultTolerationSeconds(notReadySeconds = 300, unreachableSeconds = 300): AdmissionPlugin {
  const seconds = [notReadySeconds, unreachableSeconds]
  return {
    name: 'DefaultTolerationSeconds',
    admit({ operation, kind, subresource, object }) {
      if (kind.kind !== 'Pod' || kind.group !== '' || subresource !== '' || (operation !== 'CREATE' && operation !== 'UPDATE')) return
      const { spec } = object as Mutable<Pod>
      for (const [index, key] of KEYS.entries()) {
        const isTolerated = spec.tolerations?.some(
          one => (one.key === undefined || one.key === key) && (one.effect === undefined || one.effect === 'NoExecute'),
        )
        if (isTolerated) continue
        const toleration = { key, operator: 'Exists' as const, effect: 'NoExecute' as const, tolerationSeconds: seconds[index] }
        spec.tolerations = (spec.tolerations ?? []).concat(toleration)
      }
    },
  }
}
