import type { Pod } from '#kinds/core/v1/pod.ts'
import type { PodTemplateSpec } from '#kinds/core/v1/pod-template-spec.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { controllerReference } from '#machinery/meta/object-meta.ts'

/** A pod as a template has it, before the server has given it an identity and a status. */
export type PodDraft = Mutable<Pick<Pod, 'metadata' | 'spec'>>

/** The pod that `owner` makes of a template; its name is the owner's with a random end. */
export function podFrom(template: PodTemplateSpec, owner: ApiObject): PodDraft {
  const { labels = {}, annotations = {}, finalizers = [] } = template.metadata
  return {
    metadata: {
      generateName: generateNameFor(owner.metadata.name ?? ''),
      namespace: owner.metadata.namespace ?? '',
      labels: { ...labels },
      annotations: { ...annotations },
      finalizers: [...finalizers],
      ownerReferences: [controllerReference(owner)],
    },
    spec: draft(template.spec),
  }
}

/** `name-`, unless that would be no name for a pod. */
function generateNameFor(name: string): string {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(`${name}-x`) ? `${name}-` : name
}
