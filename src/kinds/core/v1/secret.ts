import { equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { boolean, bytes, defaulted, map, omitempty, optional, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { IMMUTABLE } from './config-map.ts'
import { validateSecret } from './secret.rules.ts'

const fields = {
  immutable: optional(5, boolean, 'Whether the data never change again.'),
  data: omitempty(2, map(bytes), 'Bytes by key.'),
  stringData: omitempty(4, map(string), 'Texts to be stored among `data`; never read back.'),
  type: defaulted(3, string, 'Opaque', 'What the secret is for.', 'value'),
}

export interface Secret extends ObjectOfFields<typeof fields> {}

export const Secret = defineKind({
  documentation: 'Confidential data that pods read.',
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  fields,
  columns: [
    nameColumn,
    {
      name: 'Type',
      description:
        'Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types',
      of: secret => secret.type,
    },
    {
      name: 'Data',
      description:
        "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4",
      of: secret => Object.keys(secret.data ?? {}).length,
    },
    ageColumn,
  ],
  applyDefaults: adoptStringData,
  validate: validateSecret,
  validateUpdate(secret, old, errors) {
    validateImmutable(secret.type, old.type, errors.at('type'))
    if (!old.immutable) return
    if (!secret.immutable) errors.at('immutable').forbidden(IMMUTABLE)
    if (!equal(secret.data, old.data)) errors.at('data').forbidden(IMMUTABLE)
  },
  selectableFields: { type: ({ type }) => type },
})

/** `stringData` is a way to write data that needs no encoding; it is never read back. */
function adoptStringData(secret: Mutable<Secret>): void {
  for (const [key, value] of Object.entries(secret.stringData ?? {})) {
    secret.data ??= {}
    secret.data[key] = encode(value)
  }
  delete secret.stringData
}

function encode(text: string): string {
  const bytes = new TextEncoder().encode(text)
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
