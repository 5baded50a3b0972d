import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../patch/json-object.ts'
import { decode } from '../../schema/decode.ts'
import {
  boolean,
  bytes,
  defaulted,
  duration,
  embedded,
  inline,
  int32,
  int64,
  intOrString,
  list,
  map,
  message,
  microTime,
  number,
  omitempty,
  optional,
  quantity,
  rawExtension,
  required,
  string,
  time,
} from '../../schema/schema.ts'
import { encodeJson } from '../json/encode-json.ts'
import { parseJson } from '../json/parse-json.ts'
import { rawJson } from '../json/raw-json.ts'
import { base64Of, bytesOfBase64 } from './base64.ts'
import { decodeProtobuf, encodeMessage, encodeProtobuf, encodeProtobufEvent, encodeProtobufList, openEnvelope } from './envelope.ts'
import { ProtobufError } from './reader.ts'

const Handler = message('x.v1.Handler', { exec: optional(1, string), port: optional(2, intOrString) })
const Meta = message('x.v1.Meta', { name: omitempty(1, string), labels: omitempty(11, map(string)) })
const Thing = message('x.v1.Thing', {
  apiVersion: omitempty(undefined, string),
  kind: omitempty(undefined, string),
  metadata: embedded(1, Meta),
  count: optional(2, int32),
  big: omitempty(3, int64),
  on: omitempty(4, boolean),
  ratio: optional(5, number),
  at: optional(6, time),
  exact: optional(7, microTime),
  size: omitempty(9, map(quantity)),
  wait: optional(10, duration),
  data: omitempty(12, map(bytes)),
  extra: omitempty(13, map(list(string))),
  raw: optional(14, rawExtension),
  mode: defaulted(15, string, 'a', '', 'value'),
  probes: omitempty(16, list(message('x.v1.Probe', { ...inline(1, Handler), delay: required(2, int32) }))),
})
const canonical = (value: unknown) => decode<JsonObject>(Thing, value, { defaults: false, unknown: [] })
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')

describe('encodeMessage', () => {
  it('writes what Go keeps by value even when it is zero, and pointers only when set', () => {
    expect(hex(encodeMessage(Thing, {}))).toBe('0a020a00' + '1800' + '2000' + '7a00')
    expect(hex(encodeMessage(Thing, { count: 0 }))).toContain('1000')
  })

  it('sorts maps by key and puts inlined fields into their message', () => {
    expect(hex(encodeMessage(Meta, { name: 'n', labels: { b: '2', a: '1' } }))).toBe('0a016e' + '5a060a0161120131' + '5a060a0162120132')
    const probe = hex(encodeMessage(Thing, { probes: [{ exec: 'x', port: 'http', delay: 3 }] }))
    expect(probe).toContain('8201' + '13' + '0a0f' + '0a0178' + '120a080110001a0468747470' + '1003')
  })

  it('writes negative and large numbers in ten and nine bytes', () => {
    expect(hex(encodeMessage(Thing, { count: -1 }))).toContain('10ffffffffffffffffff01')
    expect(hex(encodeMessage(Thing, { big: 9007199254740993n }))).toContain('1881808080808080' + '10')
  })
})

describe('protobuf', () => {
  const value = fc.record(
    {
      metadata: fc.record({ name: fc.string({ unit: 'grapheme' }), labels: fc.dictionary(fc.string(), fc.string()) }, { requiredKeys: [] }),
      count: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
      big: fc.oneof(fc.maxSafeInteger(), fc.constantFrom(9007199254740993n, -(2n ** 63n), 2n ** 63n - 1n)),
      on: fc.boolean(),
      ratio: fc.double({ noNaN: true, noDefaultInfinity: true }),
      at: fc.constantFrom('2026-01-02T03:04:05Z', '1969-12-31T23:59:59Z'),
      exact: fc.constant('2026-01-02T03:04:05.000678Z'),
      size: fc.dictionary(fc.string(), fc.constantFrom('1Gi', '500m')),
      wait: fc.constantFrom('1m30s', '0s', '-5ms'),
      data: fc.dictionary(fc.string(), fc.uint8Array().map(base64Of)),
      extra: fc.dictionary(fc.string(), fc.array(fc.string(), { minLength: 1 })),
      raw: fc.dictionary(fc.string(), fc.jsonValue()).map(raw => parseJson(JSON.stringify(raw))),
      mode: fc.string(),
      probes: fc.array(fc.record({ exec: fc.string(), port: fc.oneof(fc.string(), fc.nat(65535)), delay: fc.nat() })),
    },
    { requiredKeys: [] },
  )

  it('brings every object back as it was', () => {
    fc.assert(
      fc.property(value, sent => {
        const object = canonical(sent)
        const body = encodeProtobuf('v1', 'Thing', Thing, object)
        const read = canonical(decodeProtobuf(openEnvelope(body), Thing))
        expect(read).toEqual({ ...object, apiVersion: 'v1', kind: 'Thing' })
        expect(hex(encodeProtobuf('v1', 'Thing', Thing, read))).toBe(hex(body))
      }),
    )
  })

  it('brings raw JSON back as it was sent', () => {
    const raw = rawJson(parseJson('{"ratio":0.1000,"huge":1e400}', { marksNumbers: true }))
    const body = encodeProtobuf('v1', 'Thing', Thing, canonical({ raw }))
    expect(encodeJson(canonical(decodeProtobuf(openEnvelope(body), Thing)))).toContain('"raw":{"ratio":0.1000,"huge":1e400}')
  })

  it('refuses rubbish with an error and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), rubbish => {
        try {
          decodeProtobuf({ apiVersion: '', kind: '', raw: rubbish, contentType: '' }, Thing)
        } catch (error) {
          expect(['ProtobufError', 'JsonError']).toContain((error as Error).name)
        }
      }),
      { numRuns: 500 },
    )
    expect(() => openEnvelope(new TextEncoder().encode('garbage'))).toThrow(
      'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
    )
    expect(() => openEnvelope(Uint8Array.of(0x6b, 0x38, 0x73, 0, 0x0a, 0x7f))).toThrow(ProtobufError)
  })

  it('joins lists from the messages of their items', () => {
    const items = ['a', 'b'].map(name => encodeMessage(Thing, { metadata: { name } }))
    const List = message('x.v1.ThingList', {
      metadata: embedded(1, message('x.v1.ListMeta', { resourceVersion: omitempty(2, string) })),
      items: required(2, list(Thing)),
    })
    const body = encodeProtobufList('v1', 'ThingList', Uint8Array.of(0x12, 0x01, 0x37), items)
    const { kind, items: read, metadata } = decodeProtobuf(openEnvelope(body), List)
    expect([kind, metadata, (read as JsonObject[]).map(item => item['metadata'])]).toEqual([
      'ThingList',
      { resourceVersion: '7' },
      [{ name: 'a' }, { name: 'b' }],
    ])
  })

  it('frames events with their length', () => {
    const object = encodeProtobuf('v1', 'Thing', Thing, {})
    const frame = encodeProtobufEvent('ADDED', object)
    expect(new DataView(frame.buffer).getUint32(0)).toBe(frame.length - 4)
    expect(hex(frame)).toContain(`0a054144444544`)
    expect(hex(frame).endsWith(hex(object))).toBe(true)
  })
})

describe('base64', () => {
  it('agrees with the platform', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        expect(base64Of(bytes)).toBe(Buffer.from(bytes).toString('base64'))
        expect([...bytesOfBase64(base64Of(bytes))]).toEqual([...bytes])
      }),
    )
  })
})
