import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import type { Core } from '../registry/core.ts'
import type { SubresourceCall } from './subresource.ts'

/** Has admission look at the body of a create of a subresource (and change it). `of`: whose subresource it is, if not the target's own. */
export async function admitBody(
  core: Core,
  call: SubresourceCall,
  subresource: string,
  body: ApiObject,
  of: Pick<AdmissionRequest, 'kind' | 'name'> = call.target,
): Promise<void> {
  const request: AdmissionRequest = {
    operation: 'CREATE',
    kind: of.kind,
    subresource,
    namespace: call.target.namespace,
    name: of.name,
    object: body as Mutable<ApiObject>,
    old: undefined,
    user: call.caller.user,
    dryRun: call.dryRun,
    warn: text => call.caller.warn?.(text),
  }
  await core.admission.admit(request)
  await core.admission.validate(request)
}
