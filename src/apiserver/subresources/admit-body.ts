import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import type { AdmissionRequest } from '../admission/admission.ts'
import { admissionOf } from '../registry/admission-of.ts'
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
  const asked = { kind: of.kind, subresource, namespace: call.target.namespace, name: of.name, caller: call.caller, dryRun: call.dryRun }
  const request = admissionOf(asked, { operation: 'CREATE', object: body as Mutable<ApiObject> })
  await core.admission.admit(request)
  await core.admission.validate(request)
}
