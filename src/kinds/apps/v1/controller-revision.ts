import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { FIELD_IMMUTABLE } from '#machinery/meta/validate-object-meta.ts'
import { embedded, int64, rawExtension, required } from '#machinery/schema/schema.ts'
import { ageColumn, NONE, nameColumn } from '../../meta/v1/columns.ts'
import { validateNonNegative } from '../../meta/v1/rules.ts'

const fields = {
  data: embedded(2, rawExtension, 'The remembered state.'),
  revision: required(3, int64, 'Its number; higher is newer.'),
}

export interface ControllerRevision extends ObjectOfFields<typeof fields> {}

export const ControllerRevision = defineKind({
  documentation: 'A remembered state of a daemon set or a stateful set.',
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.apps.v1',
  fields,
  columns: [
    nameColumn,
    { name: 'Controller', description: 'Controller of the object', of: controllerText },
    { name: 'Revision', description: 'revision indicates the revision of the state represented by Data.', of: ({ revision }) => revision },
    ageColumn,
  ],
  validate({ data, revision }, errors) {
    if (data === null) errors.at('data').required('data is mandatory')
    validateNonNegative(revision, errors.at('revision'))
  },
  validateUpdate({ data }, old, errors) {
    if (!equal(data, old.data)) errors.at('data').invalid(data, FIELD_IMMUTABLE)
  },
})

function controllerText({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find(reference => reference.controller)
  if (!owner) return NONE
  const group = owner.apiVersion.split('/')[0]!
  return `${owner.kind.toLowerCase()}.${owner.apiVersion.includes('/') ? group : ''}/${owner.name}`.replace('./', '/')
}
