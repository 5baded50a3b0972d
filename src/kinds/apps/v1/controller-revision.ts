import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { embedded, int64, rawExtension, required } from '#machinery/schema/schema.ts'

const fields = {
  data: embedded(2, rawExtension),
  revision: required(3, int64),
}

export interface ControllerRevision extends ObjectOfFields<typeof fields> {}

export const ControllerRevision = defineKind({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.apps.v1',
  fields,
})
