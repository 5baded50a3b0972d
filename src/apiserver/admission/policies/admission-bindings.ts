import { jsonValue, typedJsonValue } from '#base/languages/cel/json-values.ts'
import type { Bindings } from '#base/languages/cel/program.ts'
import type { CelValue } from '#base/languages/cel/values.ts'
import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { ADMISSION_REQUEST_TYPE, NAMESPACE_TYPE } from '#machinery/cel/admission-types.ts'
import { authorizerValue, resourceCheckValue } from '#machinery/cel/library/authorizer.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { notFound } from '#machinery/status/failures.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { Reviewed } from '../webhooks/reviewed.ts'
import type { AccessAnswers } from './access-answers.ts'

/** A request in the version in which a policy or webhook is about it. */
export interface Matched {
  readonly request: AdmissionRequest
  readonly kind: AnyKind
  readonly shown: Reviewed
}

/** The variables that every expression of admission has: read in place, converted by nobody. */
export function admissionBindings({ request, kind, shown }: Matched, namespace: ApiObject | undefined, access: AccessAnswers): Bindings {
  const { subresource, name } = request
  const resource = { group: kind.group, resource: kind.plural, subresource, namespace: request.namespace, name }
  return {
    object: objectValue(shown.object),
    oldObject: objectValue(shown.old),
    request: typedJsonValue(requestOf({ request, kind, shown }), ADMISSION_REQUEST_TYPE),
    namespaceObject: namespace === undefined ? null : typedJsonValue(namespaceOf(namespace), NAMESPACE_TYPE),
    authorizer: authorizerValue(access.answer),
    'authorizer.requestResource': resourceCheckValue(access.answer, resource),
  }
}

/** The namespace that a request is in; undefined for what is in none. Throws a 404 for one that is not there. */
export function namespaceOfRequest({ kind, namespace }: AdmissionRequest, informers: Informers): ApiObject | undefined {
  if (namespace === '' || (kind.group === '' && kind.kind === 'Namespace')) return undefined
  const found = informers.of(Namespace).get('', namespace)
  if (found === undefined) throw notFound({ group: '', resource: 'namespaces' }, namespace)
  return found
}

function objectValue(object: ApiObject | undefined): CelValue {
  return object === undefined ? null : jsonValue(object)
}

/** An AdmissionRequest as JSON, without what is empty. */
function requestOf({ request, kind, shown }: Matched): object {
  const { subresource, name, namespace, operation, user, dryRun, options } = request
  return {
    kind: shown.kind,
    resource: resourceOf(kind),
    ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
    requestKind: shown.requestKind,
    requestResource: resourceOf(request.kind),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length > 0 ? { groups: user.groups } : {}),
      ...(user.extra ? { extra: user.extra } : {}),
    },
    dryRun,
    options: options ?? null,
  }
}

function resourceOf({ group, version, plural }: AnyKind): object {
  return { group, version, resource: plural }
}

/** What of a namespace policies may look at: not who manages it. */
function namespaceOf(namespace: ApiObject): object {
  const { managedFields: _, ownerReferences: __, selfLink: ___, ...metadata } = namespace.metadata as unknown as Record<string, unknown>
  return { ...namespace, metadata }
}
