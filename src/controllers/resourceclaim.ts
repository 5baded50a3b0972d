import { Pod } from '#kinds/core/v1/pod.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceClaimTemplate } from '#kinds/resource/v1/resource-claim-template.ts'
import { draft } from '#machinery/kind/draft.ts'
import { controllerReference } from '#machinery/meta/object-meta.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { claimsOf, FINALIZER, isDone, POD_CLAIM_NAME, type PodClaim, planClaim, RESERVED_FOR_MAX } from './resourceclaim.plan.ts'
import type { Controller, ControllerContext } from './runtime/controller.ts'
import { counter } from './runtime/controller-metrics.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { both } from './runtime/pair.ts'
import { textOfError } from './runtime/text-of-error.ts'
import { consulted, mapped, owned } from './runtime/watches.ts'

const BY_TEMPLATE = 'podWithClaimTemplate'
const BY_CLAIM_NAME = 'podWithResourceClaim'

const templatesOf = ({ metadata, spec }: Pod) =>
  (spec.resourceClaims ?? []).flatMap(({ resourceClaimTemplateName: name }) =>
    name === undefined ? [] : [`${metadata.namespace}/${name}`],
  )
const namedBy = ({ metadata, spec }: Pod) =>
  (spec.resourceClaims ?? []).flatMap(({ resourceClaimName: name }) => (name === undefined ? [] : [`${metadata.namespace}/${name}`]))

const creations = counter(
  'dynamic_resource_allocation_resourceclaim_creates_total',
  'Number of ResourceClaims creation requests, categorized by creation status and admin access',
  ['status', 'admin_access'],
)

/** Makes the claims of pods from their templates, and gives back what pods that are gone have held. */
export const resourceClaimController: Controller = {
  name: 'resourceclaim-controller',
  run(context) {
    showClaims(context)
    return both(podClaims.run(context), claims.run(context))
  },
}

const podClaims = defineController({
  name: 'resourceclaim-controller',
  component: 'resource_claim',
  reconciles: Pod,
  concerns: ({ spec }) => spec.resourceClaims !== undefined && spec.resourceClaims.length > 0,
  watches: [
    owned(ResourceClaim),
    mapped(ResourceClaim, ({ metadata }, { cacheOf }) => cacheOf(Pod).byIndex(BY_CLAIM_NAME, `${metadata.namespace}/${metadata.name}`)),
    mapped(ResourceClaimTemplate, ({ metadata }, { cacheOf }) =>
      cacheOf(Pod).byIndex(BY_TEMPLATE, `${metadata.namespace}/${metadata.name}`),
    ),
    consulted(Pod, { [BY_TEMPLATE]: templatesOf, [BY_CLAIM_NAME]: namedBy }),
  ],
  writes: [whole(ResourceClaim), status(ResourceClaim), status(Pod)],
  concurrency: 50,
  async reconcile(pod, tools) {
    if (!pod.spec.resourceClaims?.length || pod.metadata.deletionTimestamp || isDone(pod)) return
    const found: PodClaim[] = []
    for (const claim of claimsOf(pod, tools.list(ResourceClaim, { ownedBy: pod })))
      found.push(claim.claim === undefined ? { ...claim, claim: await make(pod, claim, tools) } : claim)
    await note(pod, found, tools)
    if (pod.spec.nodeName) for (const { claim } of found) if (claim !== undefined) await reserve(pod, claim, tools)
  },
})

const claims = defineController({
  name: 'resourceclaim-controller',
  component: 'resource_claim',
  reconciles: ResourceClaim,
  watches: [mapped(Pod, pod => claimKeys(pod))],
  writes: [whole(ResourceClaim), status(ResourceClaim)],
  concurrency: 50,
  async reconcile(claim, tools) {
    const { namespace = '' } = claim.metadata
    const plan = planClaim(claim, name => tools.get(Pod, namespace, name))
    if (plan.status && !(await areGone(claim, plan.status.reservedFor ?? [], tools)))
      throw new Error('a pod that the cache does not show is there')
    let current = claim
    if (plan.status) current = await tools.updateStatus(ResourceClaim, claim, plan.status)
    if (plan.release) {
      const finalizers = (current.metadata.finalizers ?? []).filter(finalizer => finalizer !== FINALIZER)
      current = await tools.client.update(ResourceClaim, { ...current, metadata: { ...current.metadata, finalizers } })
    }
    if (plan.delete) await tools.client.delete(ResourceClaim, claim, { preconditions: { uid: claim.metadata.uid } }).catch(ignoreGone)
  },
})

/** What a cache does not show may yet be there: devices are taken away only from pods of which the server says that they are gone. */
async function areGone({ metadata, status: { reservedFor = [] } }: ResourceClaim, kept: readonly object[], { client, get }: Tools) {
  for (const user of reservedFor) {
    if (kept.includes(user) || get(Pod, metadata.namespace ?? '', user.name)?.metadata.uid === user.uid) continue
    const pod = await client.get(Pod, { namespace: metadata.namespace ?? '', name: user.name }).catch(ignoreGone)
    if (pod?.metadata.uid === user.uid && !isDone(pod)) return false
  }
  return true
}

async function make(pod: Pod, { name, template }: PodClaim, { client, get, events, metrics }: Tools): Promise<string> {
  const { namespace = '' } = pod.metadata
  let adminAccess = 'false'
  try {
    const from = get(ResourceClaimTemplate, namespace, template ?? '')
    if (!from) throw new Error(`resource claim template "${template}": resourceclaimtemplate.resource.k8s.io "${template}" not found`)
    const { labels, annotations } = from.spec.metadata ?? {}
    adminAccess = String(asksForAdminAccess(from.spec.spec))
    const created = await client.create(ResourceClaim, {
      metadata: {
        namespace,
        generateName: `${pod.metadata.name}-${name}-`,
        labels: { ...labels },
        annotations: { ...annotations, [POD_CLAIM_NAME]: name },
        ownerReferences: [controllerReference(pod)],
      },
      spec: draft(from.spec.spec),
    })
    metrics.count(creations, ['success', adminAccess])
    return created.metadata.name ?? ''
  } catch (error) {
    metrics.count(creations, ['failure', adminAccess])
    events.record(pod, 'Warning', 'FailedResourceClaimCreation', `PodResourceClaim ${name}: ${textOfError(error)}`)
    throw error
  }
}

function asksForAdminAccess({ devices }: ResourceClaim['spec']): boolean {
  return devices?.requests?.some(({ exactly }) => exactly?.adminAccess === true) ?? false
}

/** Shows how many claims there are, and where they came from; counted when somebody asks. */
function showClaims({ informers, metrics }: ControllerContext): void {
  metrics.gauge({
    name: 'dynamic_resource_allocation_resource_claims',
    help:
      "Number of ResourceClaims, categorized by allocation status, admin access, and source. Source can be 'resource_claim_template' (created from " +
      "a template), 'extended_resource' (extended resources), or empty (manually created by a user).",
    *read() {
      const counts = new Map<string, [Record<string, string>, number]>()
      for (const { metadata, spec, status: state } of informers.of(ResourceClaim).list()) {
        const notes = metadata.annotations ?? {}
        const fromTemplate = notes[POD_CLAIM_NAME] === undefined ? '' : 'resource_claim_template'
        const source = notes[EXTENDED_RESOURCE] === 'true' ? 'extended_resource' : fromTemplate
        const labels = { allocated: String(state.allocation !== undefined), admin_access: String(asksForAdminAccess(spec)), source }
        const key = Object.values(labels).join()
        counts.set(key, [labels, (counts.get(key)?.[1] ?? 0) + 1])
      }
      yield* counts.values()
    },
  })
}

const EXTENDED_RESOURCE = 'resource.kubernetes.io/extended-resource-claim'

/** The pod's status says which claims were made for it; scheduler and kubelet look there. */
async function note(pod: Pod, found: readonly PodClaim[], { client }: Tools): Promise<void> {
  const made = found.flatMap(({ name, template, claim }) =>
    template === undefined || claim === undefined ? [] : [{ name, resourceClaimName: claim }],
  )
  const noted = pod.status.resourceClaimStatuses ?? []
  const isNoted = made.every(({ name, resourceClaimName }) =>
    noted.some(one => one.name === name && one.resourceClaimName === resourceClaimName),
  )
  if (made.length === 0 || isNoted) return
  await client.patch(
    Pod,
    pod,
    { type: 'merge', body: { metadata: { uid: pod.metadata.uid }, status: { resourceClaimStatuses: made } } },
    { subresource: 'status' },
  )
}

/** A pod that did not come by way of the scheduler has its claims reserved here, once they are allocated. */
async function reserve(pod: Pod, name: string, { get, client }: Tools): Promise<void> {
  const { namespace = '', uid = '' } = pod.metadata
  const claim = get(ResourceClaim, namespace, name)
  const users = claim?.status.reservedFor ?? []
  if (!claim?.status.allocation || claim.metadata.deletionTimestamp || users.some(user => user.uid === uid)) return
  if (users.length >= RESERVED_FOR_MAX) return
  const reservedFor = [...users, { resource: 'pods', name: pod.metadata.name ?? '', uid }]
  await client.updateStatus(ResourceClaim, { ...claim, status: { ...claim.status, reservedFor } })
}

/** The claims that a pod uses: those it names, and those that were made for it. */
function claimKeys({ metadata, spec, status: { resourceClaimStatuses = [] } }: Pod): string[] {
  const names = [...(spec.resourceClaims ?? []), ...resourceClaimStatuses].flatMap(({ resourceClaimName: name }) => (name ? [name] : []))
  return names.map(name => `${metadata.namespace}/${name}`)
}

function ignoreGone(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}
