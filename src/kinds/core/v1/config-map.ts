import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { boolean, bytes, map, omitempty, optional, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'

const fields = {
  immutable: optional(4, boolean),
  data: omitempty(2, map(string)),
  binaryData: omitempty(3, map(bytes)),
}

export interface ConfigMap extends ObjectOfFields<typeof fields> {}

export const ConfigMap = defineKind({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['cm'],
  fields,
  columns: [
    nameColumn,
    { name: 'Data', of: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length },
    ageColumn,
  ],
})
