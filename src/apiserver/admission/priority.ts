import type { Informers } from '#client/informers/informer.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { PriorityClass } from '#kinds/scheduling/v1/priority-class.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { forbidden } from '#machinery/status/failures.ts'
import type { AdmissionPlugin } from './admission.ts'

/** Sets a pod's priority from its class, or from the class that is the default. */
export function priority(informers: () => Informers): AdmissionPlugin {
  return {
    name: 'Priority',
    admit({ operation, kind, subresource, object, old }) {
      if (subresource !== '' || kind.group !== '' || kind.kind !== 'Pod' || (operation !== 'CREATE' && operation !== 'UPDATE')) return
      const pod = object as Mutable<Pod>
      if (operation === 'UPDATE') return keep(pod, old as Pod)
      const { name = '', value, preemptionPolicy } = classOf(pod, informers)
      const refuse = (why: string) => forbidden({ group: '', resource: 'pods' }, pod.metadata.name ?? '', why)
      if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
        throw refuse(
          `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        )
      }
      if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== preemptionPolicy) {
        throw refuse(
          `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
        )
      }
      if (name !== '') pod.spec.priorityClassName = name
      pod.spec.priority = value
      pod.spec.preemptionPolicy = preemptionPolicy
    },
    validate({ operation, kind, object, old, subresource }) {
      if (kind.kind !== 'PriorityClass' || subresource !== '' || operation === 'DELETE') return
      const wanted = object as PriorityClass
      if (!wanted.globalDefault) return
      const other = informers()
        .of(PriorityClass)
        .list()
        .find(one => one.globalDefault && one.metadata.name !== wanted.metadata.name)
      if (!other || (old as PriorityClass | undefined)?.globalDefault) return
      const why = `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`
      throw forbidden({ group: 'scheduling.k8s.io', resource: 'priorityclasses' }, wanted.metadata.name ?? '', why)
    },
  }
}

/** A client may leave out what was computed. */
function keep(pod: Mutable<Pod>, old: Pod): void {
  if (pod.spec.priority === undefined && old.spec.priority !== undefined) pod.spec.priority = old.spec.priority
  if (pod.spec.preemptionPolicy === undefined && old.spec.preemptionPolicy !== undefined)
    pod.spec.preemptionPolicy = old.spec.preemptionPolicy
}

const NONE = { name: '', value: 0, preemptionPolicy: 'PreemptLowerPriority' as const }

function classOf(pod: Mutable<Pod>, informers: () => Informers) {
  const classes = informers().of(PriorityClass)
  const { priorityClassName } = pod.spec
  if (priorityClassName) {
    const found = classes.get('', priorityClassName)
    if (!found) {
      throw forbidden({ group: '', resource: 'pods' }, pod.metadata.name ?? '', `no PriorityClass with name ${priorityClassName} was found`)
    }
    return of(found)
  }
  const defaults = classes.list().filter(one => one.globalDefault)
  return defaults.length === 0 ? NONE : of(defaults.reduce((least, one) => (one.value < least.value ? one : least)))
}

function of({ metadata, value, preemptionPolicy }: PriorityClass) {
  return { name: metadata.name ?? '', value, preemptionPolicy: preemptionPolicy ?? NONE.preemptionPolicy }
}
