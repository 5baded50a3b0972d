import {
  boolean,
  type DraftOf,
  embedded,
  fieldsV1,
  int64,
  list,
  listMap,
  listSet,
  map,
  message,
  omitempty,
  optional,
  required,
  type StoredOf,
  string,
  time,
} from '../schema/schema.ts'

/** Who owns an object: it is garbage once all its owners are gone. */
export const OwnerReference = message(
  'io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference',
  {
    apiVersion: required(5, string, 'API version of the owner.'),
    kind: required(1, string, 'Kind of the owner.'),
    name: required(3, string, 'Name of the owner.'),
    uid: required(4, string, 'UID of the owner.'),
    controller: optional(6, boolean, 'Whether this owner is the one that manages the object.'),
    blockOwnerDeletion: optional(7, boolean, 'Whether the owner waits for this object in a foreground deletion.'),
  },
  { mapType: 'atomic' },
)
export interface OwnerReference extends StoredOf<typeof OwnerReference> {}

/** Which fields a manager has set, in which version and when. */
export const ManagedFieldsEntry = message('io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry', {
  manager: omitempty(1, string, 'Who wrote.'),
  operation: omitempty(2, string, 'Apply or Update.'),
  apiVersion: omitempty(3, string, 'The version that the paths are of.'),
  time: optional(4, time, 'When the fields were last changed.'),
  fieldsType: omitempty(6, string, 'The form of the paths: FieldsV1.'),
  fieldsV1: optional(7, fieldsV1, 'The paths.'),
  subresource: omitempty(8, string, 'The subresource that was written to.'),
})
export interface ManagedFieldsEntry extends StoredOf<typeof ManagedFieldsEntry> {}

/** What every object that is stored has: name, identity, versions, labels, owners. */
export const ObjectMeta = message('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', {
  name: omitempty(1, string, 'Unique among the objects of this kind in the namespace.'),
  generateName: omitempty(2, string, 'A prefix: the server appends five characters to make a unique name.'),
  namespace: omitempty(3, string, 'The space within which the name is unique.'),
  selfLink: omitempty(4, string, 'No longer set.'),
  uid: omitempty(5, string, 'Unique over time and space; set by the server.'),
  resourceVersion: omitempty(6, string, 'The revision of the last change; compare for equality or hand back to the server.'),
  generation: omitempty(7, int64, 'Counts changes of the desired state.'),
  creationTimestamp: optional(8, time, 'When the object was created; set by the server.'),
  deletionTimestamp: optional(9, time, 'When the object will be gone, once a graceful deletion was asked for.'),
  deletionGracePeriodSeconds: optional(10, int64, 'Seconds that the object is given to end.'),
  labels: omitempty(11, map(string), 'Keys and values by which objects are selected.'),
  annotations: omitempty(12, map(string), 'Keys and values that tools keep with the object; not selectable.'),
  ownerReferences: omitempty(
    13,
    listMap(OwnerReference, ['uid'], { patchStrategy: 'merge', patchMergeKey: 'uid' }),
    'The objects that this one depends on.',
  ),
  finalizers: omitempty(14, listSet(string, { patchStrategy: 'merge' }), 'Who must let go before the object is deleted.'),
  managedFields: omitempty(17, list(ManagedFieldsEntry), 'Which manager set which fields.'),
})
export interface ObjectMeta extends StoredOf<typeof ObjectMeta> {}
export type ObjectMetaDraft = DraftOf<typeof ObjectMeta>

/** The metadata of a list. */
export const ListMeta = message('io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta', {
  selfLink: omitempty(1, string, 'No longer set.'),
  resourceVersion: omitempty(2, string, 'The revision that the list shows.'),
  continue: omitempty(3, string, 'A token for the rest of the list.'),
  remainingItemCount: optional(4, int64, 'How many items follow.'),
})
export interface ListMeta extends StoredOf<typeof ListMeta> {}

/** The metadata field of every kind. */
export const metadata = embedded(1, ObjectMeta, 'Name, identity, labels and owners of the object.')
