import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { builtInKinds, subresourceKinds } from '#kinds/kinds.ts'
import { optionalKinds } from '#kinds/optional-kinds.ts'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { decodeProtobuf, encodeProtobuf, openEnvelope } from '#machinery/codec/protobuf/envelope.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import type { JsonObject } from '#machinery/patch/json-object.ts'
import { decode } from '#machinery/schema/decode.ts'

/** Upstream's own serialised objects: every type of a served group reads from both forms to the same value, and writes back. */
const oracle = process.env['T8S_ORACLE'] ?? resolve(import.meta.dirname, '../../../shared/oracle')
const folder = join(oracle, 'serialized')
const kinds = new Map<string, AnyKind>(
  [...builtInKinds, ...optionalKinds, ...subresourceKinds].map(kind => [`${kind.group || 'core'}.${kind.version}.${kind.kind}`, kind]),
)
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter(file => file.endsWith('.json'))
      .map(file => file.slice(0, -'.json'.length))
  : []
const cases = names.flatMap(name => {
  const kind = kinds.get(name)
  return kind ? [[name, kind] as const] : []
})
if (cases.length === 0) console.warn(`serialized objects: 0 cases, since there is no ${folder}`)

describe.skipIf(cases.length === 0)(`serialized objects (${cases.length} cases)`, () => {
  it.each(cases)('%s', (name, { schema, apiVersion, kind }) => {
    const sent = parseJson(readFileSync(join(folder, `${name}.json`)))
    const bytes = readFileSync(join(folder, `${name}.pb`))
    const read = (value: unknown) => {
      const unknown: string[] = []
      const decoded = decode<JsonObject>(schema, value, { defaults: false, unknown })
      expect(unknown).toEqual([])
      return decoded
    }
    const fromJson = read(sent)
    const fromProtobuf = read(decodeProtobuf(openEnvelope(bytes), schema))
    expect(fromProtobuf).toEqual(fromJson)
    expect(parseJson(encodeJson(fromJson))).toEqual(sent)
    expect(hex(encodeProtobuf(apiVersion, kind, schema, fromJson))).toBe(hex(bytes))
  })
})

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
