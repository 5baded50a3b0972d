import { Scale } from '#kinds/autoscaling/v1/scale.ts'
import { managedFieldsAfterScale, type ReplicasPaths, scaleManagedFields } from '#machinery/apply/scale-owners.ts'
import { draft } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { ManagedFieldsEntry } from '#machinery/kind/object-meta.ts'
import { LabelSelector, type LabelSelectorObject } from '#machinery/selectors/label-selector.ts'
import { internalError, invalid } from '#machinery/status/failures.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'
import { objectFrom } from '../registry/body.ts'
import type { Core } from '../registry/core.ts'
import { checkSentName, ownershipOf, placeIn } from '../registry/create.ts'
import { appliedObject, patchedBy } from '../registry/patch.ts'
import { get } from '../registry/read.ts'
import { change } from '../registry/update.ts'
import type { WriteRequest } from '../registry/write-request.ts'
import type { SubresourceCall, SubresourceHandler } from './subresource.ts'

type Entries = readonly ManagedFieldsEntry[]

/** `scale` of every kind that declares one: its replicas behind one face. */
export const scale: SubresourceHandler = {
  group: '*',
  resource: '*',
  name: 'scale',
  get: async (core, { target }) => ({ object: shown(scaleOf(target.kind, await get(core, target, {}))) }),
  async update(core, call) {
    const write = requestOf(call)
    const sent = objectFrom({ value: call.body }, { ...write, kind: Scale }, core.kinds) as Scale
    checkSentName(sent.metadata.name ?? '', write)
    placeIn(sent as Mutable<ApiObject>, write)
    return answer(core, call, (live, owners) => updated(core, write, live, owners, sent))
  },
  async patch(core, call) {
    const write = requestOf(call)
    const ofScale = { ...write, kind: Scale }
    if (call.patch === 'apply') {
      const config = appliedObject(ofScale, call.body)
      const context = { ...ownershipOf(core, write), kind: Scale, force: call.force ?? false }
      return answer(core, call, live => core.ownership.apply(live, config, context) as Scale)
    }
    const next = patchedBy(ofScale, { patch: { type: call.patch ?? 'merge', body: call.body } as never }, core.kinds)
    return answer(core, call, (live, owners) => updated(core, write, live, owners, next(live) as Scale))
  },
}

function requestOf({ caller, target, dryRun, fieldManager, fieldValidation }: SubresourceCall): WriteRequest {
  return { caller, ...target, subresource: 'scale', dryRun, fieldManager, fieldValidation }
}

/** Writes what `next` makes of the object's scale, and answers with the scale that came of it. */
async function answer(core: Core, call: SubresourceCall, next: (live: Scale, owners: Entries) => Scale) {
  const { kind } = call.target
  const { object } = await change(core, requestOf(call), {
    isPatch: true,
    setsOwnership: true,
    next(current) {
      const live = scaleOf(kind, current)
      const after = next(live, live.metadata.managedFields ?? [])
      // What is wrong with the replicas of a custom resource is said of the resource.
      if (!kind.isCustom) check(after)
      return withReplicas(kind, current, after)
    },
  })
  return { object: shown(scaleOf(kind, object)) }
}

function updated(core: Core, write: WriteRequest, live: Scale, owners: Entries, sent: Scale): Scale {
  void owners
  return core.ownership.afterUpdate(live, sent, { ...ownershipOf(core, write), kind: Scale }) as Scale
}

/** Who owns the replicas is told with the object itself only. */
function shown({ metadata: { managedFields: _, ...metadata }, ...rest }: Scale): Scale {
  return { ...rest, metadata } as Scale
}

function check({ metadata, spec }: Scale): void {
  const errors = new FieldErrors()
  const replicas = spec.replicas ?? 0
  if (replicas < 0) errors.at('spec').at('replicas').invalid(replicas, 'must be greater than or equal to 0')
  if (!errors.isEmpty) throw invalid(Scale, metadata.name ?? '', errors.all)
}

/** The object with the replicas of its scale. */
export function withReplicas(kind: AnyKind, current: ApiObject, { metadata, spec }: Scale): Mutable<ApiObject> {
  const next = draft(current) as Mutable<ApiObject>
  setAt(next as unknown as Record<string, unknown>, pathsOf(kind).replicas, spec.replicas ?? 0)
  const before = current.metadata.managedFields ?? []
  const entries = managedFieldsAfterScale(before, metadata.managedFields ?? [], replicasPaths(kind), kind.apiVersion)
  if (entries.length > 0) next.metadata.managedFields = draft(entries) as typeof next.metadata.managedFields
  else delete next.metadata.managedFields
  if (metadata.resourceVersion) next.metadata.resourceVersion = metadata.resourceVersion
  if (metadata.uid) next.metadata.uid = metadata.uid
  return next
}

/** An object's scale, as its subresource shows it. */
export function scaleOf(kind: AnyKind, object: ApiObject): Scale {
  const paths = pathsOf(kind)
  const { name, namespace, uid, resourceVersion, creationTimestamp, managedFields } = object.metadata
  const owners = scaleManagedFields(managedFields ?? [], replicasPaths(kind))
  const said = valueAt(object, paths.replicas) as number | undefined
  if (said === undefined && kind.isCustom) throw internalError(new Error(`the spec replicas field ${quote(paths.replicas)} does not exist`))
  const replicas = said ?? 0
  const selector = paths.selector ? selectorText(valueAt(object, paths.selector)) : ''
  const metadata = {
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(creationTimestamp ? { creationTimestamp } : {}),
    ...(owners.length > 0 ? { managedFields: owners } : {}),
  }
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata,
    spec: replicas === 0 ? {} : { replicas },
    status: {
      replicas: (valueAt(object, paths.statusReplicas) as number | undefined) ?? 0,
      ...(selector === '' ? {} : { selector }),
    },
  } as Scale
}

function pathsOf(kind: AnyKind) {
  return kind.subresources.find(({ name }) => name === 'scale')!.scale!
}

function replicasPaths(kind: AnyKind): ReplicasPaths {
  const path = stepsOf(pathsOf(kind).replicas).map(step => `f:${step}`)
  return { [kind.apiVersion]: path }
}

/** A selector is an object, a map of labels (ReplicationController), or text already (custom resources). */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector
  if (typeof selector !== 'object' || selector === null) return ''
  const isObject = 'matchLabels' in selector || 'matchExpressions' in selector
  const parsed = isObject
    ? LabelSelector.ofObject(selector as LabelSelectorObject)
    : LabelSelector.ofLabels(selector as Record<string, string>)
  return parsed.toString()
}

function stepsOf(path: string): string[] {
  return path.split('.').filter(step => step !== '')
}

function valueAt(object: unknown, path: string): unknown {
  let value = object
  for (const step of stepsOf(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
    value = (value as Record<string, unknown>)[step]
  }
  return value
}

function setAt(object: Record<string, unknown>, path: string, value: unknown): void {
  const steps = stepsOf(path)
  const last = steps.pop()!
  let place = object
  for (const step of steps) {
    if (typeof place[step] !== 'object' || place[step] === null) place[step] = {}
    place = place[step] as Record<string, unknown>
  }
  place[last] = value
}
