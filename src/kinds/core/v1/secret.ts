import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { boolean, bytes, defaulted, map, omitempty, optional, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'

const fields = {
  immutable: optional(5, boolean),
  data: omitempty(2, map(bytes)),
  stringData: omitempty(4, map(string)),
  type: defaulted(3, string, 'Opaque', '', 'value'),
}

export interface Secret extends ObjectOfFields<typeof fields> {}

export const Secret = defineKind({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  fields,
  columns: [
    nameColumn,
    { name: 'Type', of: secret => secret.type },
    { name: 'Data', of: secret => Object.keys(secret.data ?? {}).length },
    ageColumn,
  ],
})
