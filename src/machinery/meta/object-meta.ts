/** Who an object belongs to: when the owner goes, the garbage collector deletes the object. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean | undefined
  readonly blockOwnerDeletion?: boolean | undefined
}

/** Which fields a manager owns, by server-side apply's bookkeeping. */
export interface ManagedFieldsEntry {
  readonly manager?: string | undefined
  readonly operation?: string | undefined
  readonly apiVersion?: string | undefined
  readonly time?: string | undefined
  readonly fieldsType?: string | undefined
  readonly fieldsV1?: unknown
  readonly subresource?: string | undefined
}

/** What every object carries, as the machinery sees it: times are RFC 3339 text. */
export interface ObjectMeta {
  readonly name?: string | undefined
  readonly generateName?: string | undefined
  readonly namespace?: string | undefined
  readonly selfLink?: string | undefined
  readonly uid?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly generation?: number | undefined
  readonly creationTimestamp?: string | null | undefined
  readonly deletionTimestamp?: string | null | undefined
  readonly deletionGracePeriodSeconds?: number | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
  readonly ownerReferences?: readonly OwnerReference[] | undefined
  readonly finalizers?: readonly string[] | undefined
  readonly managedFields?: readonly ManagedFieldsEntry[] | undefined
}

/** The one owner that controls the object, if any. */
export function controllerOf(object: { readonly metadata?: ObjectMeta | undefined }): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find(owner => owner.controller === true)
}

/** Whether the object with this uid is among the owners. */
export function isOwnedBy(object: { readonly metadata?: ObjectMeta | undefined }, uid: string): boolean {
  return object.metadata?.ownerReferences?.some(owner => owner.uid === uid) ?? false
}

/** Whether the object with this uid controls `object`. */
export function isControlledBy(object: { readonly metadata?: ObjectMeta | undefined }, uid: string): boolean {
  return controllerOf(object)?.uid === uid
}

/** The reference by which `owner` becomes the controller of what it creates. */
export function controllerReference(owner: {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}): OwnerReference {
  const { name = '', uid = '' } = owner.metadata
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** Group and version of an `apiVersion`: `apps/v1`, or `v1` for the core group. */
export function groupVersionOf(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}
