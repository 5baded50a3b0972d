import { boolean, int64, list, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'

export const Preconditions = message('io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions', {
  uid: optional(1, string, 'The uid that it must have.'),
  resourceVersion: optional(2, string, 'The version that it must have.'),
})
export interface Preconditions extends StoredOf<typeof Preconditions> {}

export const DeleteOptions = message('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions', {
  kind: omitempty(undefined, string, '`DeleteOptions`.'),
  apiVersion: omitempty(undefined, string, 'The API version.'),
  gracePeriodSeconds: optional(1, int64, 'How long the object may take to stop.'),
  preconditions: optional(2, Preconditions, 'What must hold for the object to be deleted.'),
  orphanDependents: optional(3, boolean, 'An old form of `propagationPolicy`.'),
  propagationPolicy: optional(4, string, 'What becomes of dependents.'),
  dryRun: omitempty(5, list(string), '`All` changes nothing.'),
  ignoreStoreReadErrorWithClusterBreakingPotential: optional(
    6,
    boolean,
    'Whether an object is removed that cannot be read from the store; nobody is asked or told then.',
  ),
})
export interface DeleteOptions extends StoredOf<typeof DeleteOptions> {}
