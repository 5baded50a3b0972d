import type { Deployment } from '#kinds/apps/v1/deployment.ts'
import type { ReplicaSet } from '#kinds/apps/v1/replica-set.ts'
import type { PodTemplateSpec } from '#kinds/core/v1/pod-template-spec.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import { controllerReference } from '#machinery/meta/object-meta.ts'
import { stableHash } from './runtime/stable-hash.ts'

const REVISION = 'deployment.kubernetes.io/revision'
const HISTORY = 'deployment.kubernetes.io/revision-history'
const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas'
const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas'
const TEMPLATE_HASH = 'pod-template-hash'

/** Annotations of a deployment that its sets don't inherit. */
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
  REVISION,
  HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
])

/** Whether a set's template is the deployment's; the label that only the set's has does not count. */
export function isSameTemplate(ofSet: PodTemplateSpec, ofDeployment: PodTemplateSpec): boolean {
  return equal(withoutHash(ofSet), withoutHash(ofDeployment))
}

/** The number of the rollout that a set or deployment is at; 0 if none is noted. */
export function revisionOf(object: { readonly metadata: Deployment['metadata'] }): number {
  return numberIn(object.metadata.annotations?.[REVISION]) ?? 0
}

export function newestRevision(sets: readonly ReplicaSet[]): number {
  return sets.reduce((newest, set) => Math.max(newest, revisionOf(set)), 0)
}

/** How many replicas the deployment asked for when the set was last scaled. */
export function desiredReplicasOf(set: ReplicaSet): number | undefined {
  return numberIn(set.metadata.annotations?.[DESIRED_REPLICAS])
}

/** How many pods the deployment could have at most then. */
export function maxReplicasOf(set: ReplicaSet): number | undefined {
  return numberIn(set.metadata.annotations?.[MAX_REPLICAS])
}

/** The annotations that a set needs when it is scaled. */
export function scaleAnnotations(replicas: number, maxSurge: number): Record<string, string> {
  return { [DESIRED_REPLICAS]: String(replicas), [MAX_REPLICAS]: String(replicas + maxSurge) }
}

/** The annotations that the set of the present template must have: the deployment's own, and its revision with the former ones. */
export function revisionAnnotations(deployment: Deployment, set: ReplicaSet | undefined, revision: number): Record<string, string> {
  const annotations: Record<string, string> = { ...set?.metadata.annotations }
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!OWN_ANNOTATIONS.has(key)) annotations[key] = value
  }
  const former = annotations[REVISION]
  if ((numberIn(former) ?? 0) < revision) {
    annotations[REVISION] = String(revision)
    if (former !== undefined) annotations[HISTORY] = appended(annotations[HISTORY], former)
  }
  return annotations
}

/** The annotation that notes the revision on the deployment itself. */
export function revisionAnnotation(revision: number | string): Record<string, string> {
  return { [REVISION]: String(revision) }
}

/** The set of a deployment's present template. Its name and its pods carry a hash, so that pods of two templates are never mixed up. */
export function replicaSetFrom(deployment: Deployment, replicas: number, revision: number, maxSurge: number) {
  const { name = '', namespace = '' } = deployment.metadata
  const { template, selector, minReadySeconds } = deployment.spec
  const hash = stableHash(template, deployment.status.collisionCount)
  const labels = { ...template.metadata.labels, [TEMPLATE_HASH]: hash }
  return {
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { ...revisionAnnotations(deployment, undefined, revision), ...scaleAnnotations(deployment.spec.replicas, maxSurge) },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas,
      minReadySeconds,
      selector: { ...draft(selector), matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH]: hash } },
      template: { ...draft(template), metadata: { ...draft(template.metadata), labels } },
    },
  }
}

const HISTORY_LIMIT = 2000

/** The oldest revisions are dropped where the text would grow too long. */
function appended(history: string | undefined, revision: string): string {
  const revisions = (history ?? '').split(',').filter(text => text !== '')
  if (revisions.includes(revision)) return history ?? ''
  revisions.push(revision)
  while (revisions.join(',').length > HISTORY_LIMIT) revisions.shift()
  return revisions.join(',')
}

function withoutHash(template: PodTemplateSpec): PodTemplateSpec {
  if (template.metadata.labels?.[TEMPLATE_HASH] === undefined) return template
  const { [TEMPLATE_HASH]: _, ...labels } = template.metadata.labels
  return { ...template, metadata: { ...template.metadata, labels: Object.keys(labels).length > 0 ? labels : undefined } }
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}
