import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeJson, encodePrettyJson } from './encode-json.ts'
import { withoutLiterals } from './number-literal.ts'
import { NumberLiteral, parseJson, readJson } from './parse-json.ts'
import { rawJson } from './raw-json.ts'

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(fc.property(fc.json(), text => encodeJson(parseJson(text)) === escaped(JSON.stringify(JSON.parse(text)))))
  })

  it('keeps whole numbers exact', () => {
    expect(parseJson('[9007199254740991,9007199254740993,-9223372036854775808,1.5]')).toEqual([
      9007199254740991,
      9007199254740993n,
      -9223372036854775808n,
      1.5,
    ])
    expect(encodeJson(parseJson('{"a":12345678901234567890}'))).toBe('{"a":12345678901234567890}')
  })

  it('marks numbers whose text matters where a schema will ask', () => {
    expect(parseJson('{"a":1.0}')).toEqual({ a: 1 })
    const marked = parseJson('{"a":1.0,"b":1e3,"c":1.5,"d":1.50}', { marksNumbers: true }) as Record<string, NumberLiteral>
    expect(marked['a']).toBeInstanceOf(NumberLiteral)
    expect([marked['a']!.text, marked['b']!.text, marked['c'], marked['d']!.text]).toEqual(['1.0', '1e3', 1.5, '1.50'])
    expect(JSON.stringify(marked)).toBe('{"a":1,"b":1000,"c":1.5,"d":1.5}')
    expect(withoutLiterals(parseJson('{"a":[1.0,{"b":1e3}],"__proto__":2.0}', { marksNumbers: true }))).toEqual(
      JSON.parse('{"a":[1,{"b":1000}],"__proto__":2}'),
    )
  })

  it('takes __proto__ and constructor for keys', () => {
    for (const text of ['{"__proto__":{"a":1},"constructor":2}', '{"__proto__":{"a":1.5},"constructor":2}']) {
      const value = parseJson(text) as object
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
      expect(JSON.stringify(value)).toBe(text)
    }
  })

  it('replaces what is no UTF-8', () => {
    expect(parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toBe('\ufffd')
    expect(parseJson('"\\ud800x"')).toBe('\ufffdx')
    expect(parseJson('"\\ud83d\\ude00"')).toBe('😀')
  })

  it.each([
    ['', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['"a', 'unexpected end of JSON input'],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['{}{"a":1}', "invalid character '{' after top-level value"],
    ['"\u0001"', "invalid character '\\x01' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['01', "invalid character '1' after top-level value"],
    ['-', 'unexpected end of JSON input'],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.a', "invalid character 'a' after decimal point in numeric literal"],
    ['1ea', "invalid character 'a' in exponent of numeric literal"],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['apiVersion: v1', "invalid character 'a' looking for beginning of value"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['NaN', "invalid character 'N' looking for beginning of value"],
    ['1e400', 'json: cannot unmarshal number 1e400 into Go value of type float64'],
  ])('refuses %j as Go does', (text, message) => expect(() => parseJson(text)).toThrow(message))

  it('refuses nesting beyond 10,000, however deep', () => {
    expect(() => parseJson('['.repeat(10_001))).toThrow("invalid character '[' exceeded max depth")
    expect(() => parseJson('{"a":'.repeat(1_500_000))).toThrow("invalid character '{' exceeded max depth")
    const deep = `${'['.repeat(9_999)}${']'.repeat(9_999)}`
    expect(encodeJson(parseJson(deep))).toBe(deep)
    const exact = deep.replace('[]', '[1234567890123456789]')
    expect(encodeJson(parseJson(exact))).toBe(exact)
  })
})

describe('readJson', () => {
  it('tells which keys stand twice, and lets the last one count', () => {
    const text = '{"metadata":{"name":"a","name":"b"},"data":{"x":"1","x":"2","x":"3"},"l":[{},{"i":1,"i":2}],"__proto__":1,"__proto__":2}'
    const { value, duplicates } = readJson(text)
    expect(duplicates).toEqual(['metadata.name', 'data.x', 'l[1].i', '__proto__'])
    expect(value).toMatchObject({ metadata: { name: 'b' }, data: { x: '3' } })
    expect(readJson('{"a":{"b":":{[,"},"c":[{"b":1}]}').duplicates).toEqual([])
  })

  it('agrees with itself on both ways through', () => {
    fc.assert(
      fc.property(fc.json(), text => {
        const exact = readJson(`[${text},1.5]`)
        expect((exact.value as unknown[])[0]).toEqual(readJson(text).value)
      }),
    )
  })
})

describe('encodePrettyJson', () => {
  it('indents as JSON.stringify does', () => {
    fc.assert(fc.property(fc.jsonValue(), value => encodePrettyJson(value) === escaped(JSON.stringify(value, null, 2))))
  })
})

describe('encodeJson', () => {
  it('escapes what a browser could take for HTML, as Go does', () => {
    expect(encodeJson({ '<a>': 'b & c\u2028' })).toBe('{"\\u003ca\\u003e":"b \\u0026 c\\u2028"}')
  })
})

describe('rawJson', () => {
  const read = (text: string) => rawJson(parseJson(text, { marksNumbers: true })) as Record<string, unknown>

  it.each(['{"a":0.1000}', '{"a":[1.0,{"b":1e400}],"c":-1.50E+3}', `{"a":${'9'.repeat(60)}}`, '[1.10]', '{"toJSON":1,"a":0.5}'])(
    'is written again as it was sent: %s',
    text => {
      expect(encodeJson({ raw: read(text) })).toBe(`{"raw":${text}}`)
      expect(encodePrettyJson(read(text)).replaceAll(/\s/g, '')).toBe(text)
    },
  )

  it('is plain values to everyone else', () => {
    const value = read('{"a":0.1000,"b":[2.0]}')
    expect(value).toEqual({ a: 0.1, b: [2] })
    expect(Object.keys(value)).toEqual(['a', 'b'])
    expect(JSON.stringify({ value })).toBe('{"value":{"a":0.1,"b":[2]}}')
    expect(read('{"toJSON":"mine","a":2.0}')).toEqual({ toJSON: 'mine', a: 2 })
    expect(rawJson(parseJson('1.0', { marksNumbers: true }))).toBe(1)
  })

  it('is written by its values once it was changed', () => {
    const value = read('{"a":0.1000}')
    expect(encodeJson({ ...value, b: 1 })).toBe('{"a":0.1,"b":1}')
    expect(encodeJson(structuredClone(value))).toBe('{"a":0.1}')
  })
})

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

function escaped(json: string): string {
  return [...json].map(character => ESCAPES[character] ?? character).join('')
}
