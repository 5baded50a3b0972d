import { ControllerRevision } from '#kinds/apps/v1/controller-revision.ts'
import type { PodTemplateSpec } from '#kinds/core/v1/pod-template-spec.ts'
import { draft, equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { controllerReference } from '#machinery/meta/object-meta.ts'
import type { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { isAlreadyExists, isNotFound } from '#machinery/status/status-error.ts'
import { claim } from './claim.ts'
import type { Tools } from './define-controller.ts'
import { stableHash } from './stable-hash.ts'

/** Pods and revisions of one template carry its hash under this label. */
export const REVISION_LABEL = 'controller-revision-hash'

/** The templates that an object has had, the oldest first, the present one last. */
export interface History {
  readonly revisions: readonly ControllerRevision[]
  readonly current: ControllerRevision
  /** How many foreign revisions have had a name that was wanted. */
  readonly collisionCount: number
}

/** What a revision keeps of the owner: its pod template, in the form of a patch that brings it back. */
function dataOf(template: PodTemplateSpec): Record<string, unknown> {
  return { spec: { template: { ...draft(template), $patch: 'replace' } } }
}

/** The template that a revision keeps. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { $patch: _, ...template } = (revision.data as { spec: { template: PodTemplateSpec & { $patch?: string } } }).spec.template
  return template
}

/** Finds or makes the revision of the present template, and makes it the newest. */
export async function keepHistory(
  kind: AnyKind,
  owner: ApiObject,
  { template, selector, collisionCount = 0 }: { template: PodTemplateSpec; selector: LabelSelector; collisionCount?: number | undefined },
  tools: Tools,
): Promise<History> {
  const present = await claim(ControllerRevision, kind, owner, selector, tools)
  const revisions = present.sort((a, b) => a.revision - b.revision || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  const data = dataOf(template)
  const same = revisions.filter(revision => equal(revision.data, data)).at(-1)
  const newest = revisions.at(-1)
  if (same && same === newest) return { revisions, current: same, collisionCount }
  const next = (newest?.revision ?? 0) + 1
  if (same) {
    const current = await tools.client.update(ControllerRevision, { ...same, revision: next })
    return { revisions: [...revisions.filter(revision => revision !== same), current], current, collisionCount }
  }
  const { current, collisions } = await create(owner, template, next, collisionCount, tools)
  return { revisions: [...revisions, current], current, collisionCount: collisions }
}

/** Deletes the oldest revisions that no pod has, as far as there are more than `limit`. */
export async function trimHistory(
  history: History,
  inUse: ReadonlySet<string | undefined>,
  limit: number,
  { client }: Tools,
): Promise<void> {
  const unused = history.revisions.filter(
    revision => revision !== history.current && !inUse.has(hashOf(revision)) && !inUse.has(revision.metadata.name),
  )
  for (const revision of unused.slice(0, Math.max(0, unused.length - limit))) {
    await client.delete(ControllerRevision, revision).catch(error => {
      if (!isNotFound(error)) throw error
    })
  }
}

export function hashOf(revision: ControllerRevision): string {
  return revision.metadata.labels?.[REVISION_LABEL] ?? ''
}

async function create(owner: ApiObject, template: PodTemplateSpec, revision: number, collisionCount: number, tools: Tools) {
  const { name = '', namespace = '' } = owner.metadata
  const data = dataOf(template)
  for (let collisions = collisionCount; ; collisions++) {
    const hash = stableHash(template, collisions === 0 ? undefined : collisions)
    const metadata = {
      name: `${name.slice(0, 220)}-${hash}`,
      namespace,
      labels: { ...template.metadata.labels, [REVISION_LABEL]: hash },
      ownerReferences: [controllerReference(owner)],
    }
    try {
      return { current: await tools.client.create(ControllerRevision, { metadata, data, revision }), collisions }
    } catch (error) {
      if (!isAlreadyExists(error) || collisions > collisionCount + 10) throw error
      const present = await tools.client.get(ControllerRevision, metadata)
      if (equal(present.data, data) && present.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid))
        return { current: present, collisions }
    }
  }
}
