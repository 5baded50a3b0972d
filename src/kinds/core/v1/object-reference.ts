import { message, nullable, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ObjectReference = message(
  'io.k8s.api.core.v1.ObjectReference',
  {
    kind: omitempty(1, string, 'The kind.'),
    namespace: omitempty(2, string, 'The namespace.'),
    name: omitempty(3, string, 'The name.'),
    uid: omitempty(4, string, 'The uid.'),
    apiVersion: omitempty(5, string, 'The API version.'),
    resourceVersion: omitempty(6, string, 'The version of the object that is meant.'),
    fieldPath: omitempty(7, string, 'The part of the object that is meant.'),
  },
  { mapType: 'atomic' },
)
export interface ObjectReference extends StoredOf<typeof ObjectReference> {}

export const TypedLocalObjectReference = message(
  'io.k8s.api.core.v1.TypedLocalObjectReference',
  {
    apiGroup: nullable(1, string, 'The API group; empty for the core one.'),
    kind: required(2, string, 'The kind.'),
    name: required(3, string, 'The name.'),
  },
  { mapType: 'atomic' },
)
export interface TypedLocalObjectReference extends StoredOf<typeof TypedLocalObjectReference> {}

export const TypedObjectReference = message('io.k8s.api.core.v1.TypedObjectReference', {
  apiGroup: nullable(1, string, 'The API group; empty for the core one.'),
  kind: required(2, string, 'The kind.'),
  name: required(3, string, 'The name.'),
  namespace: optional(4, string, 'The namespace.'),
})
export interface TypedObjectReference extends StoredOf<typeof TypedObjectReference> {}

export const SecretReference = message(
  'io.k8s.api.core.v1.SecretReference',
  {
    name: omitempty(1, string, 'The name.'),
    namespace: omitempty(2, string, 'The namespace.'),
  },
  { mapType: 'atomic' },
)
export interface SecretReference extends StoredOf<typeof SecretReference> {}

export const LocalObjectReference = message(
  'io.k8s.api.core.v1.LocalObjectReference',
  {
    name: omitempty(1, string, 'The name.'),
  },
  { mapType: 'atomic' },
)
export interface LocalObjectReference extends StoredOf<typeof LocalObjectReference> {}
