import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { isConfigMapKey } from '#machinery/meta/formats.ts'
import { utf8Length } from '#machinery/meta/utf8.ts'
import { boolean, bytes, map, omitempty, optional, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { byteLength } from '../../meta/v1/base64.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'

const fields = {
  immutable: optional(4, boolean, 'Whether the data never change again.'),
  data: omitempty(2, map(string), 'Texts by key.'),
  binaryData: omitempty(3, map(bytes), 'Bytes by key.'),
}

export interface ConfigMap extends ObjectOfFields<typeof fields> {}

export const ConfigMap = defineKind({
  documentation: 'Configuration that pods read.',
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
    {
      name: 'Data',
      description:
        "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.",
      of: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    ageColumn,
  ],
  validate: validateConfigMap,
  validateUpdate(configMap, old, errors) {
    if (!old.immutable) return
    if (!configMap.immutable) errors.at('immutable').forbidden(IMMUTABLE)
    for (const name of ['data', 'binaryData'] as const) {
      if (!equal(configMap[name], old[name])) errors.at(name).forbidden(IMMUTABLE)
    }
  },
})

/** More would make lists of them slow for everyone. */
const MAX_BYTES = 1024 * 1024

/** What an object that was declared immutable says to whoever changes it. */
export const IMMUTABLE = 'field is immutable when `immutable` is set'

function validateConfigMap({ data, binaryData }: ConfigMap, errors: FieldErrors): void {
  let size = 0
  for (const [key, value] of sortedEntries(data)) {
    errors.at('data').key(key).invalidEach(key, isConfigMapKey(key))
    if (binaryData?.[key] !== undefined) errors.at('data').key(key).invalid(key, 'duplicate of key present in binaryData')
    size += utf8Length(value)
  }
  for (const [key, value] of sortedEntries(binaryData)) {
    errors.at('binaryData').key(key).invalidEach(key, isConfigMapKey(key))
    size += byteLength(value)
  }
  if (size > MAX_BYTES) errors.at('').tooLong(MAX_BYTES)
}
