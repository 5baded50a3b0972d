import type { Informers } from '#client/informers/informer.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Toleration } from '#kinds/core/v1/toleration.ts'
import { RuntimeClass } from '#kinds/node/v1/runtime-class.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { AdmissionPlugin } from './admission.ts'

/** Adds to a pod what its runtime class asks for: overhead, node selector, tolerations. */
export function runtimeClass(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    admit({ operation, kind, subresource, object }) {
      if (operation !== 'CREATE' || kind.kind !== 'Pod' || kind.group !== '' || subresource !== '') return
      const pod = object as Mutable<Pod>
      const refuse = (why: string) => forbidden({ group: '', resource: 'pods' }, pod.metadata.name ?? '', `pod rejected: ${why}`)
      const name = pod.spec.runtimeClassName
      if (!name) {
        if (pod.spec.overhead) throw refuse('Pod Overhead set without corresponding RuntimeClass defined Overhead')
        return
      }
      const found = informers().of(RuntimeClass).get('', name)
      if (!found) throw refuse(`RuntimeClass "${name}" not found`)
      setOverhead(pod, found, refuse)
      setScheduling(pod, found, refuse)
    },
  }
}

type Refuse = (why: string) => Error

function setOverhead({ spec }: Mutable<Pod>, { overhead }: RuntimeClass, refuse: Refuse): void {
  const fixed = overhead?.podFixed
  if (!fixed) {
    if (spec.overhead) throw refuse('Pod Overhead set without corresponding RuntimeClass defined Overhead')
    return
  }
  if (spec.overhead && !equal(spec.overhead, fixed)) throw refuse("Pod's Overhead doesn't match RuntimeClass's defined Overhead")
  spec.overhead = { ...fixed }
}

function setScheduling({ spec }: Mutable<Pod>, { scheduling }: RuntimeClass, refuse: Refuse): void {
  if (!scheduling) return
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key]
    if (own !== undefined && own !== value)
      throw refuse(`conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`)
  }
  if (scheduling.nodeSelector) spec.nodeSelector = { ...spec.nodeSelector, ...scheduling.nodeSelector }
  const missing = (scheduling.tolerations ?? []).filter((toleration: Toleration) => !spec.tolerations?.some(own => equal(own, toleration)))
  if (missing.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...missing.map(toleration => ({ ...toleration }))]
}
