import { Deployment } from '#kinds/apps/v1/deployment.ts'
import { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { equal } from '#machinery/kind/draft.ts'
import { controllerOf, isControlledBy } from '#machinery/meta/object-meta.ts'
import { isAlreadyExists } from '#machinery/status/status-error.ts'
import { type DeploymentPlan, planDeployment, rolloutBounds, type Scaling } from './deployment.plan.ts'
import { statusOf } from './deployment.status.ts'
import {
  isSameTemplate,
  replicaSetFrom,
  revisionAnnotation,
  revisionAnnotations,
  revisionOf,
  scaleAnnotations,
} from './deployment-revisions.ts'
import { claim } from './runtime/claim.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { claimed, mapped, selectorOf } from './runtime/watches.ts'

/** Rolls every Deployment out by scaling one ReplicaSet per template. */
export const deploymentController = defineController({
  name: 'deployment-controller',
  reconciles: Deployment,
  watches: [
    claimed<Deployment>(ReplicaSet, ({ spec }) => selectorOf(spec.selector)),
    // Recreate waits until the last old pod is gone.
    mapped(Pod, (pod, { cacheOf }) => {
      const owner = controllerOf(pod)
      const set = owner?.kind === 'ReplicaSet' ? cacheOf(ReplicaSet).get(pod.metadata.namespace ?? '', owner.name) : undefined
      const deployment = set && controllerOf(set)
      return pod.metadata.deletionTimestamp && deployment?.kind === 'Deployment' ? [`${pod.metadata.namespace}/${deployment.name}`] : []
    }),
  ],
  writes: [whole(ReplicaSet), whole(Deployment), status(Deployment)],
  async reconcile(deployment, tools) {
    const { selector } = deployment.spec
    if (selectorOf(selector).isEverything) {
      tools.events.record(deployment, 'Warning', 'SelectingAll', 'This deployment is selecting all pods. A non-empty selector is required.')
      return
    }
    const sets = await claim(ReplicaSet, Deployment, deployment, selectorOf(selector), tools)
    const pods = deployment.spec.strategy.type === 'Recreate' ? sets.flatMap(set => tools.list(Pod, { ownedBy: set })) : []
    const plan = planDeployment(deployment, sets, pods)
    let failure: unknown
    let current = plan.current
    try {
      if (plan.create) current = await createSet(deployment, plan, tools)
      else if (current && plan.revision !== undefined) current = await keepAnnotations(deployment, current, plan.revision, tools)
      for (const step of plan.scale) await scale(deployment, step.set === plan.current ? { ...step, set: current! } : step, tools)
      for (const set of plan.delete) await tools.client.delete(ReplicaSet, set, { preconditions: { uid: set.metadata.uid } })
    } catch (error) {
      failure = error
    }
    const noted = current && plan.revision !== undefined ? await noteRevision(deployment, revisionOf(current), tools) : deployment
    const createFailure = failure !== undefined && plan.create && !current ? textOfError(failure) : undefined
    const outcome = statusOf(noted, { ...plan, current }, createFailure, tools.now)
    await tools.updateStatus(Deployment, noted, outcome.status)
    if (outcome.againMs !== undefined) tools.again(outcome.againMs)
    if (failure !== undefined) throw failure
  },
})

/** Creates the set of the present template. A foreign set of that name makes the next attempt use another hash. */
async function createSet(deployment: Deployment, plan: DeploymentPlan, tools: Tools): Promise<ReplicaSet | undefined> {
  const { maxSurge } = rolloutBounds(deployment)
  const set = replicaSetFrom(deployment, plan.create!.replicas, plan.revision ?? 1, maxSurge)
  try {
    const created = await tools.client.create(ReplicaSet, set)
    if (created.spec.replicas > 0) {
      const message = `Scaled up replica set ${created.metadata.name} from 0 to ${created.spec.replicas}`
      tools.events.record(deployment, 'Normal', 'ScalingReplicaSet', message)
    }
    return created
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const present = await tools.client.get(ReplicaSet, set)
    const isOurs = isControlledBy(present, deployment.metadata.uid ?? '')
    if (isOurs && isSameTemplate(present.spec.template, deployment.spec.template)) return present
    const collisionCount = (deployment.status.collisionCount ?? 0) + 1
    await tools.updateStatus(Deployment, deployment, { ...deployment.status, collisionCount })
    throw error
  }
}

/** The set inherits the deployment's annotations and `minReadySeconds` as they change, and a rollback gives it a new revision. */
async function keepAnnotations(deployment: Deployment, set: ReplicaSet, revision: number, { client }: Tools): Promise<ReplicaSet> {
  const annotations = revisionAnnotations(deployment, set, revision)
  const { minReadySeconds } = deployment.spec
  const isSame = equal(annotations, set.metadata.annotations ?? {}) && (minReadySeconds ?? 0) === (set.spec.minReadySeconds ?? 0)
  if (isSame) return set
  return client.update(ReplicaSet, { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, minReadySeconds } })
}

async function scale(deployment: Deployment, { set, replicas }: Scaling, { client, events }: Tools): Promise<void> {
  const former = set.spec.replicas
  const { maxSurge } = rolloutBounds(deployment)
  const annotations = { ...set.metadata.annotations, ...scaleAnnotations(deployment.spec.replicas, maxSurge) }
  if (former === replicas && equal(annotations, set.metadata.annotations)) return
  await client.update(ReplicaSet, { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } })
  if (former === replicas) return
  const direction = former < replicas ? 'up' : 'down'
  const message = `Scaled ${direction} replica set ${set.metadata.name} from ${former} to ${replicas}`
  events.record(deployment, 'Normal', 'ScalingReplicaSet', message)
}

async function noteRevision(deployment: Deployment, revision: number, { client }: Tools): Promise<Deployment> {
  if (revisionOf(deployment) === revision) return deployment
  const annotations = { ...deployment.metadata.annotations, ...revisionAnnotation(revision) }
  return client.update(Deployment, { ...deployment, metadata: { ...deployment.metadata, annotations } })
}
