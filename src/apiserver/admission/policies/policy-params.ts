import type { Client } from '#client/client.ts'
import type { ParamKind } from '#kinds/admissionregistration/v1/param-kind.ts'
import type { ParamRef } from '#kinds/admissionregistration/v1/param-ref.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { groupVersionOf } from '#machinery/meta/object-meta.ts'
import { LabelSelector } from '#machinery/selectors/label-selector.ts'
import { StatusError } from '#machinery/status/status-error.ts'

/** A policy or binding cannot be used as it is; what comes of it is for the failure policy to say. */
export class ConfigurationError extends Error {}

/** Where the objects are that policies take their parameters from. */
export interface ParamSource {
  readonly kinds: Pick<KindRegistry, 'byKind'>
  readonly client: Client
}

/**
 * The objects with which a binding evaluates its policy, once for each: one `undefined` where the binding names none, none where it
 * names what is not there and allows that. Throws a {@link ConfigurationError}.
 */
export async function paramsOf(
  paramKind: ParamKind,
  ref: ParamRef | undefined,
  namespace: string,
  source: ParamSource,
): Promise<readonly (ApiObject | undefined)[]> {
  const { group, version } = groupVersionOf(paramKind.apiVersion ?? '')
  const kind = source.kinds.byKind(group, version, paramKind.kind ?? '')
  if (kind === undefined) {
    throw new ConfigurationError(`failed to find resource referenced by paramKind: '${group}/${version}, Kind=${paramKind.kind}'`)
  }
  if (ref === undefined) return [undefined]
  if (kind.scope === 'Cluster' && ref.namespace) {
    throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  }
  const within = kind.scope === 'Cluster' ? '' : ref.namespace || namespace
  if (kind.scope === 'Namespaced' && within === '') {
    throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  }
  const found: ApiObject[] = []
  if (ref.name) {
    try {
      found.push((await source.client.get(kind, { namespace: within, name: ref.name })) as ApiObject)
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== 'NotFound') throw error
    }
  } else if (ref.selector) {
    const { items } = await source.client.list(kind, { namespace: within, labelSelector: LabelSelector.ofObject(ref.selector).toString() })
    found.push(...(items as readonly ApiObject[]))
  } else throw new ConfigurationError('one of name or selector must be provided')
  if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction')
  }
  return found
}
