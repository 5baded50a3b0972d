import type { Scale } from '#kinds/autoscaling/v1/scale.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { groupVersionOf } from '#machinery/meta/object-meta.ts'
import { decodeObject } from '../../registry/body.ts'
import { converted, storedKindOf, toStored, viewOf, writtenKindOf, writtenToStored } from '../../registry/views.ts'
import { scaleOf, withReplicas } from '../../subresources/scale.ts'
import type { AdmissionRequest } from '../admission.ts'

interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** What of a request a webhook is shown: its objects in the version that the webhook's rules name. */
export interface Reviewed {
  readonly kind: GroupVersionKind
  readonly requestKind: GroupVersionKind
  readonly object: ApiObject | undefined
  readonly old: ApiObject | undefined
  /** Puts a changed `object` in the place of the request's, and tells whether it says anything else. Rejects by a DecodeError what is no such object. */
  replace(changed: object): boolean | Promise<boolean>
}

/** `kind` is the version in which the request matched. Waits where a webhook has to convert the objects of custom resources. */
export async function reviewed(request: AdmissionRequest, kind: AnyKind): Promise<Reviewed> {
  if (request.subresource === 'scale') return asScale(request)
  const { object, old } = request
  if (object && object.kind !== storedKindOf(request.kind).kind) return asBody(request, object)
  const before = object && (await converted(() => inVersion(kind, request.kind, object)))
  return {
    kind: kindOf(kind),
    requestKind: kindOf(request.kind),
    object: before,
    old: old && (await converted(() => inVersion(kind, request.kind, old))),
    async replace(changed) {
      const next = decodeObject(kind, changed)
      const isOther = !equal(next, before)
      return putInPlace(object!, await converted(() => fromVersion(kind, request.kind, next)), isOther)
    },
  }
}

/** An object in the form in which writes of `asked` are checked, in the version `kind`. */
function inVersion(kind: AnyKind, asked: AnyKind, object: ApiObject): ApiObject {
  return kind === writtenKindOf(asked) ? object : viewOf(kind, writtenToStored(asked, object))
}

function fromVersion(kind: AnyKind, asked: AnyKind, object: ApiObject): ApiObject {
  const written = writtenKindOf(asked)
  return kind === written ? object : viewOf(written, toStored(kind, object))
}

/** What is sent to a subresource as an object of its own: a binding, an eviction, the options of an exec. */
function asBody(request: AdmissionRequest, object: Mutable<ApiObject>): Reviewed {
  const { group, version } = groupVersionOf(object.apiVersion)
  const kind = { group, version, kind: object.kind }
  const before = { ...object }
  return {
    kind,
    requestKind: kind,
    object: before,
    old: request.old,
    replace: changed => putInPlace(object, changed as ApiObject, !equal(changed, before)),
  }
}

/** Replicas are changed through a face of the object that is the same for all kinds. */
function asScale({ kind, object, old }: AdmissionRequest): Reviewed {
  const stored = storedKindOf(kind)
  const faceOf = (of: ApiObject | undefined) => of && (scaleOf(stored, of) as unknown as ApiObject)
  const before = faceOf(object)
  const face = { group: 'autoscaling', version: 'v1', kind: 'Scale' }
  return {
    kind: face,
    requestKind: face,
    object: before,
    old: faceOf(old),
    replace(changed) {
      return putInPlace(object!, withReplicas(stored, object!, changed as Scale), !equal(changed, before))
    },
  }
}

/** The object keeps its identity: whoever admits it further holds on to it. */
function putInPlace(target: Mutable<ApiObject>, next: ApiObject, isOther: boolean): boolean {
  const fields = target as unknown as Record<string, unknown>
  for (const field of Object.keys(fields)) delete fields[field]
  Object.assign(fields, next)
  return isOther
}

function kindOf({ group, version, kind }: AnyKind): GroupVersionKind {
  return { group, version, kind }
}
