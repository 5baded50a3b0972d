import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeJson } from '#machinery/codec/json/encode-json.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { decodeProtobuf, encodeProtobuf, openEnvelope } from '#machinery/codec/protobuf/envelope.ts'
import { deepFreeze, draft } from '#machinery/kind/draft.ts'
import { arbitraryOf } from '#machinery/schema/arbitrary.fixture.ts'
import { decode } from '#machinery/schema/decode.ts'
import { builtInKinds, subresourceKinds } from './kinds.ts'
import { optionalKinds } from './optional-kinds.ts'

const RUNS = 10

describe.each([...builtInKinds, ...optionalKinds, ...subresourceKinds])('a random $apiVersion $kind', kind => {
  const canonical = (sent: unknown) => decode<Record<string, unknown>>(kind.schema, sent, { defaults: false, unknown: [] })

  it('is the same after it went over the wire, as JSON and as protobuf', () => {
    fc.assert(
      fc.property(arbitraryOf(kind.schema), sent => {
        const object = canonical({ ...(sent as object), apiVersion: kind.apiVersion, kind: kind.kind })
        expect(canonical(parseJson(encodeJson(object)))).toEqual(object)
        const bytes = encodeProtobuf(kind.apiVersion, kind.kind, kind.schema, object)
        expect(canonical(decodeProtobuf(openEnvelope(bytes), kind.schema))).toEqual(object)
      }),
      { numRuns: RUNS },
    )
  })

  it('is not written to by its defaults where it has them', () => {
    const { applyDefaults } = kind.hooks
    if (!applyDefaults) return
    fc.assert(
      fc.property(arbitraryOf(kind.schema), sent => {
        const object = decode<Record<string, unknown>>(kind.schema, sent, { defaults: true, unknown: [] })
        applyDefaults(object as never)
        const { metadata, status, ...others } = draft(object)
        expect(() => applyDefaults({ ...deepFreeze(others), metadata, status } as never)).not.toThrow()
      }),
      { numRuns: RUNS },
    )
  })
})
