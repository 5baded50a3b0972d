import { ControllerRevision } from '#kinds/apps/v1/controller-revision.ts'
import { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { equal } from '#machinery/kind/draft.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'
import { claim } from './runtime/claim.ts'
import { type History, keepHistory, templateOf, trimHistory } from './runtime/controller-revisions.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { all, inSlowStart } from './runtime/slow-start.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { claimed, consulted, selectorOf } from './runtime/watches.ts'
import { planStatefulSet, type Revisions, revisionOf } from './statefulset.plan.ts'
import { claimName, claimOwners, claimsFor, hasIdentity, identityLabels, ordinalOf, statefulPodFrom } from './statefulset-pod.ts'

/** Keeps pods with names of their own for every StatefulSet: each place is taken by one pod at most. */
export const statefulSetController = defineController({
  name: 'statefulset-controller',
  reconciles: StatefulSet,
  watches: [
    claimed<StatefulSet>(Pod, ({ spec }) => selectorOf(spec.selector)),
    claimed<StatefulSet>(ControllerRevision, ({ spec }) => selectorOf(spec.selector)),
    consulted(PersistentVolumeClaim),
  ],
  writes: [whole(Pod), whole(PersistentVolumeClaim), whole(ControllerRevision), status(StatefulSet)],
  async reconcile(set, tools) {
    const selector = selectorOf(set.spec.selector)
    const pods = (await claim(Pod, StatefulSet, set, selector, tools, pod => ordinalOf(set, pod) !== undefined)).filter(
      pod => ordinalOf(set, pod) !== undefined,
    )
    const { template } = set.spec
    const history = await keepHistory(StatefulSet, set, { template, selector, collisionCount: set.status.collisionCount }, tools)
    const revisions = revisionsOf(set, history)
    const plan = planStatefulSet(set, pods, revisions, tools.now)
    let failure: { error: unknown } | undefined
    try {
      await keepClaimOwners(set, pods, plan.condemned, tools)
      for (const pod of plan.keep) await keepIdentity(set, pod, tools)
      await inSlowStart(plan.create, ({ ordinal, revision }) => create(set, ordinal, revision, history, tools))
      await all(plan.delete, pod => remove(set, pod, tools))
    } catch (error) {
      failure = { error }
    }
    await tools.updateStatus(StatefulSet, set, plan.status)
    if (!failure) {
      const inUse = new Set([revisions.current, revisions.update, ...pods.map(revisionOf)])
      await trimHistory(history, inUse, set.spec.revisionHistoryLimit ?? 10, tools)
    }
    if (plan.againMs !== undefined) tools.again(plan.againMs)
    if (failure) throw failure.error
  },
})

/** The revision before the update that is under way is the one in the status, as long as its template is known. */
function revisionsOf(set: StatefulSet, { current, revisions, collisionCount }: History): Revisions {
  const update = current.metadata.name ?? ''
  const before = revisions.find(({ metadata }) => metadata.name === set.status.currentRevision)
  return { update, current: before?.metadata.name ?? update, collisionCount }
}

async function create(
  set: StatefulSet,
  ordinal: number,
  revision: string,
  history: History,
  { client, events, get }: Tools,
): Promise<void> {
  const { name, namespace = '' } = set.metadata
  const source = history.revisions.find(({ metadata }) => metadata.name === revision)
  const pod = statefulPodFrom(set, source ? templateOf(source) : set.spec.template, ordinal, revision)
  const podName = pod.metadata.name ?? ''
  try {
    for (const draft of claimsFor(set, ordinal)) {
      if (get(PersistentVolumeClaim, namespace, draft.metadata.name)) continue
      await client.create(PersistentVolumeClaim, draft).then(
        () => {
          const message = `create Claim ${draft.metadata.name} Pod ${podName} in StatefulSet ${name} success`
          events.record(set, 'Normal', 'SuccessfulCreate', message)
        },
        error => {
          if (!isAlreadyExists(error)) throw error
        },
      )
    }
    await client.create(Pod, pod)
    events.record(set, 'Normal', 'SuccessfulCreate', `create Pod ${podName} in StatefulSet ${name} successful`)
  } catch (error) {
    const text = textOfError(error)
    events.record(set, 'Warning', 'FailedCreate', `create Pod ${podName} in StatefulSet ${name} failed error: ${text}`)
    throw error
  }
}

async function remove(set: StatefulSet, pod: Pod, { client, events }: Tools): Promise<void> {
  const { name } = set.metadata
  if (pod.status.phase === 'Failed')
    events.record(
      set,
      'Warning',
      'RecreatingFailedPod',
      `StatefulSet ${set.metadata.namespace}/${name} is recreating failed Pod ${pod.metadata.name}`,
    )
  try {
    await client.delete(Pod, pod, { preconditions: { uid: pod.metadata.uid } })
    events.record(set, 'Normal', 'SuccessfulDelete', `delete Pod ${pod.metadata.name} in StatefulSet ${name} successful`)
  } catch (error) {
    if (isNotFound(error)) return
    const text = textOfError(error)
    events.record(set, 'Warning', 'FailedDelete', `delete Pod ${pod.metadata.name} in StatefulSet ${name} failed error: ${text}`)
    throw error
  }
}

async function keepIdentity(set: StatefulSet, pod: Pod, { client }: Tools): Promise<void> {
  if (hasIdentity(set, pod) || pod.metadata.deletionTimestamp) return
  const labels = { ...pod.metadata.labels, ...identityLabels(set, pod) }
  await client.update(Pod, { ...pod, metadata: { ...pod.metadata, labels } })
}

/** Claims follow the retention policy by their owners; the garbage collector does the rest. */
async function keepClaimOwners(set: StatefulSet, pods: readonly Pod[], condemned: readonly Pod[], { client, get }: Tools): Promise<void> {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy
  for (const pod of pods) {
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const present = get(PersistentVolumeClaim, set.metadata.namespace ?? '', claimName(set, template, ordinalOf(set, pod)!))
      const owners = present?.metadata.ownerReferences ?? []
      if (!present || (whenDeleted === 'Retain' && whenScaled === 'Retain' && owners.length === 0)) continue
      const wanted = claimOwners(set, pod, condemned.includes(pod), owners)
      if (equal(wanted, owners)) continue
      await client.update(PersistentVolumeClaim, { ...present, metadata: { ...present.metadata, ownerReferences: wanted } })
    }
  }
}
