import type { AnyKind } from '#machinery/kind/kind.ts'
import { isJsonObject, type JsonObject } from '#machinery/patch/json-object.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { Status } from '#machinery/status/status-error.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { Reviewed } from './reviewed.ts'

/** What a webhook said. */
export interface Verdict {
  readonly allowed: boolean
  readonly status: Partial<Status> | undefined
  /** A JSON patch in base64; '' if there is none. */
  readonly patch: string
  readonly patchType: string
  readonly warnings: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
}

const GROUP = 'admission.k8s.io'
/** Both are the same but for how strictly answers are read. */
const VERSIONS = ['v1', 'v1beta1']

/** The `AdmissionReview` of a request for a webhook that matched in the version of `kind`. `versions`: what the webhook reads, best first. */
export function admissionReview(
  request: AdmissionRequest,
  { kind, shown, versions, uid }: { kind: AnyKind; shown: Reviewed; versions: readonly string[]; uid: string },
): object {
  const version = versions.find(one => VERSIONS.includes(one))
  if (!version) throw new Error('webhook does not accept known AdmissionReview versions (v1, v1beta1)')
  const { subresource, name, namespace, operation, user, dryRun, options } = request
  const part = subresource === '' ? {} : { subResource: subresource }
  return {
    kind: 'AdmissionReview',
    apiVersion: `${GROUP}/${version}`,
    request: {
      uid,
      kind: shown.kind,
      resource: resourceOf(kind),
      ...part,
      requestKind: shown.requestKind,
      requestResource: resourceOf(request.kind),
      ...(subresource === '' ? {} : { requestSubResource: subresource }),
      ...(name === '' ? {} : { name }),
      ...(namespace === '' ? {} : { namespace }),
      operation,
      userInfo: {
        username: user.name,
        ...(user.uid ? { uid: user.uid } : {}),
        ...(user.groups.length > 0 ? { groups: user.groups } : {}),
        ...(user.extra ? { extra: user.extra } : {}),
      },
      object: shown.object ?? null,
      oldObject: shown.old ?? null,
      dryRun,
      options: options ?? null,
    },
  }
}

function resourceOf({ group, version, plural }: AnyKind): object {
  return { group, version, resource: plural }
}

/** Reads the answer to a review. Throws an Error in upstream's words where it is none. */
export function verdictOf(answer: unknown, review: object, uid: string, isMutating: boolean): Verdict {
  const sent = review as { readonly apiVersion: string }
  const { apiVersion, kind, response } = isJsonObject(answer) ? answer : ({} as JsonObject)
  if (!isJsonObject(response)) throw new Error('webhook response was absent')
  const isStrict = sent.apiVersion === `${GROUP}/v1`
  if (isStrict) checkStrictly(response, { apiVersion, kind, uid, isMutating })
  const patch = isMutating ? textAt(response, 'patch') : ''
  const { status } = response
  return {
    allowed: response['allowed'] === true,
    status: isJsonObject(status) ? (status as Partial<Status>) : undefined,
    patch,
    patchType: textAt(response, 'patchType') || (isStrict || patch === '' ? '' : 'JSONPatch'),
    warnings: Array.isArray(response['warnings']) ? response['warnings'].map(String) : [],
    annotations: isJsonObject(response['auditAnnotations']) ? (response['auditAnnotations'] as Record<string, string>) : {},
  }
}

function checkStrictly(
  response: JsonObject,
  { apiVersion, kind, uid, isMutating }: { apiVersion: unknown; kind: unknown; uid: string; isMutating: boolean },
): void {
  const said = textAt(response, 'uid')
  if (said !== uid) throw new Error(`expected response.uid=${quote(uid)}, got ${quote(said)}`)
  if (apiVersion !== `${GROUP}/v1` || kind !== 'AdmissionReview') {
    const version = typeof apiVersion === 'string' && apiVersion !== '' ? apiVersion : '/'
    const type = typeof kind === 'string' ? kind : ''
    throw new Error(`expected webhook response of ${GROUP}/v1, Kind=AdmissionReview, got ${version}, Kind=${type}`)
  }
  const hasPatch = textAt(response, 'patch') !== ''
  const { patchType } = response
  const hasType = patchType !== undefined && patchType !== null
  if (!isMutating) {
    if (hasPatch) throw new Error('validating webhook may not return response.patch')
    if (hasType) throw new Error('validating webhook may not return response.patchType')
    return
  }
  if (hasPatch && !hasType) throw new Error('webhook returned response.patch but not response.patchType')
  if (!hasPatch && hasType) throw new Error('webhook returned response.patchType but not response.patch')
  if (patchType === '') throw new Error(`webhook returned invalid response.patchType of ${quote('')}`)
}

function textAt(object: JsonObject, field: string): string {
  const value = object[field]
  return typeof value === 'string' ? value : ''
}
