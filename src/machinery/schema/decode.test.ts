import { describe, expect, it } from 'vitest'
import { parseJson } from '../codec/json/parse-json.ts'
import { type DecodeContext, decode } from './decode.ts'
import {
  bytes,
  defaulted,
  embedded,
  inline,
  int32,
  int64,
  lazy,
  list,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  quantity,
  required,
  type Schema,
  string,
  time,
} from './schema.ts'

const Port = message('io.k8s.api.core.v1.ServicePort', {
  name: omitempty(1, string),
  port: required(3, int32),
  protocol: defaulted(2, oneOf('TCP', 'UDP'), 'TCP', '', 'value'),
})
const Source = message('io.k8s.api.core.v1.VolumeSource', { hostPath: optional(1, string) })
const Spec = message('io.k8s.api.core.v1.ServiceSpec', {
  ports: omitempty(1, list(Port)),
  selector: omitempty(2, map(string)),
  replicas: defaulted(3, int32, 1),
  paused: optional(4, int32),
  host: omitempty(5, string),
  big: omitempty(6, int64),
  ...inline(7, Source),
})
const Thing = message('io.k8s.api.core.v1.Thing', {
  spec: embedded(2, Spec),
  at: optional(3, time),
  size: optional(4, quantity),
  raw: optional(5, bytes),
})

const context = (defaults = true): DecodeContext & { unknown: string[] } => ({ defaults, unknown: [] })
const decoded = (value: unknown, defaults = true) => decode(Thing, value, context(defaults))

describe('decode', () => {
  it('fills in defaults and embedded messages', () => {
    expect(decoded({})).toEqual({ spec: { replicas: 1 } })
    expect(decoded({ spec: { ports: [{ port: 80 }] } }).spec.ports).toEqual([{ port: 80, protocol: 'TCP' }])
  })

  it('leaves defaults alone when it is not asked for them', () => {
    expect(decoded({}, false)).toEqual({ spec: {} })
  })

  it('keeps a zero behind a pointer and drops it otherwise', () => {
    expect(decoded({ spec: { replicas: 0, paused: 0, host: '', selector: {}, ports: [] } })).toEqual({ spec: { replicas: 0, paused: 0 } })
  })

  it('takes null for absent', () => {
    expect(decoded({ spec: { replicas: null, selector: null }, at: null })).toEqual({ spec: { replicas: 1 } })
  })

  it('gives a required field its zero', () => {
    expect(decoded({ spec: { ports: [{}] } }).spec.ports).toEqual([{ port: 0, protocol: 'TCP' }])
  })

  it('notes the paths of unknown fields and drops them', () => {
    const noted = context()
    expect(decode(Thing, JSON.parse('{"spec":{"ports":[{"port":1,"prot":2}],"x":1},"__proto__":{"a":1}}'), noted)).toEqual({
      spec: { ports: [{ port: 1, protocol: 'TCP' }], replicas: 1 },
    })
    expect(noted.unknown.sort()).toEqual(['__proto__', 'spec.ports[0].prot', 'spec.x'])
  })

  it('shows the fields of an inlined message flat', () => {
    expect(decoded({ spec: { hostPath: '/x' } }).spec.hostPath).toBe('/x')
    expect(Spec.fields.hostPath.within).toEqual([7])
  })

  it.each([
    [{ spec: { replicas: '3' } }, 'json: cannot unmarshal string into Go struct field ServiceSpec.spec.replicas of type int32'],
    [{ spec: { replicas: 1.5 } }, 'json: cannot unmarshal number 1.5 into Go struct field ServiceSpec.spec.replicas of type int32'],
    [
      { spec: { replicas: 2147483648 } },
      'json: cannot unmarshal number 2147483648 into Go struct field ServiceSpec.spec.replicas of type int32',
    ],
    [{ spec: { ports: {} } }, 'json: cannot unmarshal object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort'],
    [{ spec: { ports: [{ port: true }] } }, 'json: cannot unmarshal bool into Go struct field ServicePort.spec.ports.port of type int32'],
    [{ spec: { selector: { a: 1 } } }, 'json: cannot unmarshal number into Go struct field ServiceSpec.spec.selector of type string'],
    [{ raw: 'a$==' }, 'illegal base64 data at input byte 1'],
    [[], 'json: cannot unmarshal array into Go value of type v1.Thing'],
  ])('refuses %j as upstream words it', (value, message) => {
    expect(() => decoded(value)).toThrow(message)
  })

  it('keeps a map key called __proto__ as data', () => {
    const value = decoded(JSON.parse('{"spec":{"selector":{"__proto__":"x"}}}'))
    expect(JSON.stringify(value.spec.selector)).toBe('{"__proto__":"x"}')
    expect(Object.getPrototypeOf(value.spec.selector)).toBe(Object.prototype)
  })

  it('keeps whole numbers beyond 2^53', () => {
    expect(decoded({ spec: { big: 9007199254740993n } }).spec.big).toBe(9007199254740993n)
    expect(() => decoded({ spec: { big: 2n ** 63n } })).toThrow('number 9223372036854775808')
  })

  it('reads quantities and integers from the very text of numbers', () => {
    const read = (json: string) => decoded(parseJson(json, { marksNumbers: true }) as object)
    expect(read('{"size":1.0}').size).toBe('1')
    expect(read('{"size":0.1000}').size).toBe('100m')
    expect(() => read('{"spec":{"replicas":0.10}}')).toThrow('cannot unmarshal number 0.10 into')
  })

  it('takes over what is canonical already, where the schema is the one it is canonical by', () => {
    const before = decoded({ spec: { ports: [{ port: 80 }] } })
    const read = (value: object) => decode(Thing, value, { ...context(), canonical: new Map([[before.spec, Thing.fields.spec.schema]]) })
    expect(read({ ...before, size: '1.0' }).spec).toBe(before.spec)
    expect(read({ spec: { ...before.spec } }).spec).toEqual(before.spec)
    expect(read({ spec: { ...before.spec } }).spec).not.toBe(before.spec)
    expect(() => read({ size: before.spec })).toThrow('cannot unmarshal object into')
  })

  it('brings times to UTC', () => {
    expect(decoded({ at: '2026-01-02T03:04:05+02:00' }).at).toBe('2026-01-02T01:04:05Z')
    expect(() => decoded({ at: 'yesterday' })).toThrow('parsing time "yesterday"')
  })

  it('follows a schema that refers to itself', () => {
    type Tree = { readonly children?: readonly Tree[] | undefined; readonly name?: string | undefined }
    const Tree: Schema<Tree> = message('x.v1.Tree', { name: omitempty(1, string), children: omitempty(2, list(lazy<Tree>(() => Tree))) })
    expect(decode(Tree, { children: [{ name: 'a', children: [{ name: 'b' }] }] }, context())).toEqual({
      children: [{ name: 'a', children: [{ name: 'b' }] }],
    })
  })
})
