import type { Informers } from '#client/informers/informer.ts'
import { LimitRange } from '#kinds/core/v1/limit-range.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { setDefaultResources } from './limit-ranger.defaults.ts'
import { claimExcesses, podExcesses } from './limit-ranger.rules.ts'

/** Gives containers the resources that the namespace's limit ranges hold for usual, and refuses pods and claims outside of the limits. */
export function limitRanger(informers: () => Informers): AdmissionPlugin {
  const rangesOf = ({ namespace }: AdmissionRequest) => informers().of(LimitRange).list(namespace)
  return {
    name: 'LimitRanger',
    admit(request) {
      if (!isOfPod(request) || request.operation !== 'CREATE' || request.subresource !== '') return
      for (const { spec } of rangesOf(request)) setDefaultResources(request.object as Mutable<Pod>, spec.limits ?? [])
    },
    validate(request) {
      const excessesOf = rulesFor(request)
      if (!excessesOf || request.old?.metadata.deletionTimestamp) return
      for (const { spec } of rangesOf(request)) {
        const excesses = excessesOf(spec.limits ?? [])
        if (excesses.length === 0) continue
        const { kind, object } = request
        const why = excesses.length === 1 ? excesses[0]! : `[${excesses.join(', ')}]`
        throw forbidden({ group: kind.group, resource: kind.plural }, object?.metadata.name ?? '', why)
      }
    },
  }
}

/** What a pod uses is fixed when it is made, or by resizing it; a claim may grow. */
function rulesFor(request: AdmissionRequest) {
  const { operation, kind, subresource, object } = request
  if (operation !== 'CREATE' && operation !== 'UPDATE') return undefined
  if (isOfPod(request)) {
    if (operation === 'CREATE' ? subresource !== '' : subresource !== 'resize') return undefined
    return (limits: Limits) => podExcesses(object as Pod, limits)
  }
  if (kind.kind !== 'PersistentVolumeClaim' || kind.group !== '' || subresource !== '') return undefined
  return (limits: Limits) => claimExcesses(object as PersistentVolumeClaim, limits)
}

type Limits = NonNullable<LimitRange['spec']['limits']>

function isOfPod({ kind }: AdmissionRequest): boolean {
  return kind.kind === 'Pod' && kind.group === ''
}
