import { ListMeta } from '#machinery/kind/object-meta.ts'
import { embedded, int32, list, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'

export const StatusCause = message('io.k8s.apimachinery.pkg.apis.meta.v1.StatusCause', {
  reason: omitempty(1, string, 'What happened, in one word.'),
  message: omitempty(2, string, 'What happened, for people.'),
  field: omitempty(3, string, 'The field that is wrong.'),
})
export interface StatusCause extends StoredOf<typeof StatusCause> {}

export const StatusDetails = message('io.k8s.apimachinery.pkg.apis.meta.v1.StatusDetails', {
  name: omitempty(1, string, 'The name of the object.'),
  group: omitempty(2, string, 'The API group.'),
  kind: omitempty(3, string, 'The resource or the kind.'),
  uid: omitempty(6, string, 'The uid of the object.'),
  causes: omitempty(4, list(StatusCause), 'What is wrong, one by one.'),
  retryAfterSeconds: omitempty(5, int32, 'After how many seconds to try again.'),
})
export interface StatusDetails extends StoredOf<typeof StatusDetails> {}

export const Status = message('io.k8s.apimachinery.pkg.apis.meta.v1.Status', {
  kind: omitempty(undefined, string),
  apiVersion: omitempty(undefined, string),
  metadata: embedded(1, ListMeta),
  status: omitempty(2, string, '`Success` or `Failure`.'),
  message: omitempty(3, string, 'What happened, for people.'),
  reason: omitempty(4, string, 'What happened, in one word.'),
  details: optional(5, StatusDetails, 'More about the failure.'),
  code: omitempty(6, int32, 'The HTTP status.'),
})
export interface Status extends StoredOf<typeof Status> {}
