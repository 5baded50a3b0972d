import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeYaml } from './encode-yaml.ts'
import { parseYaml, parseYamlStream, readYaml } from './parse-yaml.ts'

describe('parseYaml', () => {
  it('reads words as YAML 1.1 does', () => {
    const text = 'a: [y, No, on, ~, 010, 0x1F, 1_000, 1e3, 1.5, 2024-01-01, 1:30, "y", 9007199254740993, .5, 0b11, +7]'
    expect(parseYaml(text)).toEqual({
      a: [true, false, true, null, 8, 31, 1000, 1000, 1.5, '2024-01-01', '1:30', 'y', 9007199254740993n, 0.5, 3, 7],
    })
  })

  it('makes keys strings', () => {
    expect(parseYaml('1: x\nn: y\n1.5: z')).toEqual({ 1: 'x', false: true, 1.5: 'z' })
  })

  it('takes the first document', () => {
    expect(parseYaml('a: 1\n---\nb: : :')).toEqual({ a: 1 })
    expect(parseYaml('# c\n---\na: 1\n---\nb: 2')).toEqual({ a: 1 })
    expect(parseYaml('')).toBe(null)
    expect(parseYamlStream('a: 1\n---\n---\nb: 2\n')).toEqual([{ a: 1 }, { b: 2 }])
  })

  it('follows merge keys and aliases', () => {
    expect(parseYaml('base: &b {x: 1, z: 2}\nuse: {<<: *b, z: 3}')).toEqual({ base: { x: 1, z: 2 }, use: { x: 1, z: 3 } })
  })

  it('keeps blocks as they are written', () => {
    expect(parseYaml('lit: |\n  a\n  b\nkeep: |+\n  a\n\nstrip: |-\n  a\nfold: >\n  a\n  b\n')).toEqual({
      lit: 'a\nb\n',
      keep: 'a\n\n',
      strip: 'a',
      fold: 'a b\n',
    })
  })

  it('keeps __proto__ as data', () => {
    const value = parseYaml('__proto__: {a: 1}') as object
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(JSON.stringify(value)).toBe('{"__proto__":{"a":1}}')
  })

  it('tells of keys that stand twice', () => {
    const { value, duplicates } = readYaml('data:\n  q: 1\n  q: 2\n')
    expect(value).toEqual({ data: { q: 2 } })
    expect(duplicates).toEqual(['yaml: unmarshal errors:\n  line 3: key "q" already set in map'])
    expect(readYaml('{"data":{"q":"3","q":"4"}}').duplicates).toEqual(['yaml: unmarshal errors:\n  line 1: key "q" already set in map'])
    expect(readYaml('a: 1\na: 2\nb: [{c: 1}, {"c d": 1,\n "c d": 2}]').duplicates[0]).toBe(
      'yaml: unmarshal errors:\n  line 2: key "a" already set in map\n  line 4: key "c d" already set in map',
    )
  })

  it('reads past tags that nobody knows', () => {
    expect(parseYaml('a: !foo b')).toEqual({ a: 'b' })
  })

  it('refuses bombs in no time', () => {
    const levels = Array.from({ length: 30 }, (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(', ')}]`)
    expect(() => parseYaml(`l0: &l0 x\n${levels.join('\n')}\n`)).toThrow('yaml: document contains excessive aliasing')
    expect(() => parseYaml('['.repeat(200_000))).toThrow('yaml: ')
    expect(() => parseYaml('a: .nan')).toThrow('json: unsupported value: NaN')
  })

  it('words mistakes as upstream does', () => {
    expect(() => parseYaml('a: b: c\n  - x')).toThrow('yaml: mapping values are not allowed in this context')
  })
})

describe('encodeYaml', () => {
  it('writes what the Go library writes', () => {
    const long = `${'x'.repeat(90)} ${'y'.repeat(50)}`
    const value = {
      z: [{ b: 1, a: [] }, ['x', {}]],
      text: { multi: 'l1\nl2\n', t: 'true', n: '123', e: '', q: 'it\'s "q"', colon: 'a: b', hash: '# x', dash: '- x', nul: 'null', long },
      f10: 1.5,
      f9: null,
      when: '2024-01-02T03:04:05Z',
      tab: 'a\tb',
      lead: ' lead',
      keep: 'a\n\n',
      strip: 'a\nb',
    }
    expect(encodeYaml(value)).toBe(`f9: null
f10: 1.5
keep: |+
  a

lead: ' lead'
strip: |-
  a
  b
tab: "a\\tb"
text:
  colon: 'a: b'
  dash: '- x'
  e: ""
  hash: '# x'
  long: ${'x'.repeat(90)}
    ${'y'.repeat(50)}
  multi: |
    l1
    l2
  "n": "123"
  nul: "null"
  q: it's "q"
  t: "true"
when: "2024-01-02T03:04:05Z"
z:
- a: []
  b: 1
- - x
  - {}
`)
  })

  it('is read back as it was', () => {
    const json = fc.letrec(tie => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.string({ unit: fc.constantFrom('a', ' ', '\n', ':', '#', '-', "'", '"', '\\', '{', 'é', '\t', '1', 'y', '%') }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.string({ maxLength: 4 }), tie('value'), { maxKeys: 3 }),
      ),
    })).value
    fc.assert(
      fc.property(fc.dictionary(fc.string({ maxLength: 3 }), json, { minKeys: 1 }), value => {
        expect(parseYaml(encodeYaml(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
