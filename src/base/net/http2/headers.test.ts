import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HeaderDecoder } from './header-decoder.ts'
import { encodeHeaders } from './header-encoder.ts'
import { huffmanText } from './huffman.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex')

describe('header blocks', () => {
  // RFC 7541, C.3 and C.4: three requests on one connection, plain and in Huffman code.
  it.each([
    [
      'plain',
      '828684410f7777772e6578616d706c652e636f6d',
      '828684be58086e6f2d6361636865',
      '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
    ],
    ['coded', '828684418cf1e3c2e5f23a6ba0ab90f4ff', '828684be5886a8eb10649cbf', '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf'],
  ])('build on what was sent before (%s)', (_, ...blocks) => {
    const decoder = new HeaderDecoder(1000)
    const common = { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'www.example.com' }
    expect(blocks.map(block => decoder.decode(hex(block!)).headers)).toEqual([
      common,
      { ...common, 'cache-control': 'no-cache' },
      { ...common, ':scheme': 'https', ':path': '/index.html', 'custom-key': 'custom-value' },
    ])
  })

  it('forget the oldest fields when the table is full, and all of them when it is made smaller', () => {
    const decoder = new HeaderDecoder(100_000)
    const field = (name: string, value: string) => Buffer.concat([Buffer.from([0x40, name.length]), Buffer.from(name), text(value)])
    decoder.decode(field('first', 'x'.repeat(2000)))
    decoder.decode(field('second', 'y'.repeat(2000)))
    expect(decoder.decode(hex('be')).headers).toEqual({ second: 'y'.repeat(2000) })
    decoder.decode(field('third', 'z'.repeat(2000)))
    expect(decoder.decode(hex('be')).headers).toEqual({ third: 'z'.repeat(2000) })
    expect(() => decoder.decode(hex('c0'))).toThrow('field 64 is not known')
    expect(() => decoder.decode(hex('20be'))).toThrow('field 62 is not known')
  })

  it.each([
    ['80', 'field 0 is none'],
    ['3fe21f', 'a table of 4097 bytes was not allowed'],
    ['8220', 'the size of the table changes within a block'],
    ['400161', 'a text is cut off'],
    ['40016105', 'a text is cut off'],
    ['ffffffffffff', 'a number is too large'],
    ['7f', 'a number is cut off'],
    ['400161820000', 'a text is not in the code'],
    ['40016184ffffffff', 'a text is not in the code'],
  ])('that are none end the connection: %s', (block, why) => {
    expect(() => new HeaderDecoder(1000).decode(hex(block))).toThrow(why)
  })

  it.each([
    [[['te', 'gzip']], 'te may only say trailers'],
    [[['connection', 'close']], 'connection has no place in HTTP/2'],
    [[['Accept', 'a']], 'the name of a field is none'],
    [[['x', 'a\r\nb']], 'the value of x has control characters'],
    [[[':status', '200']], ':status is not known'],
    [
      [
        ['accept', 'a'],
        [':path', '/'],
      ],
      ':path stands behind other fields',
    ],
    [
      [
        [':path', '/'],
        [':path', '/b'],
      ],
      ':path stands twice',
    ],
  ])('may be no request: %j', (fields, why) => {
    expect(new HeaderDecoder(1000).decode(block(fields)).problem).toBe(why)
  })

  it('join what comes several times, and keep the first of what may not', () => {
    const fields = [
      ['impersonate-group', 'a'],
      ['impersonate-group', 'b'],
      ['cookie', 'c'],
      ['cookie', 'd'],
      ['content-type', 'e'],
      ['content-type', 'f'],
      ['constructor', 'g'],
    ]
    expect(new HeaderDecoder(1000).decode(block(fields)).headers).toEqual({
      'impersonate-group': 'a, b',
      cookie: 'c; d',
      'content-type': 'e',
      constructor: 'g',
    })
  })

  it('beyond the limit are read, not kept, and told', () => {
    const decoder = new HeaderDecoder(100)
    const { isTooLarge, headers } = decoder.decode(
      block([
        ['a', 'x'.repeat(60)],
        ['b', 'y'],
      ]),
    )
    expect([isTooLarge, Object.keys(headers)]).toEqual([true, ['a']])
  })

  it('of answers are read as they were written', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/).filter(each => !['te', 'connection', 'upgrade'].includes(each))
    fc.assert(
      fc.property(fc.dictionary(name, fc.stringMatching(/^[ -~]{0,300}$/)), headers => {
        const { headers: read } = new HeaderDecoder(1e6).decode(Buffer.from(encodeHeaders(200, headers).subarray(1)))
        expect(read).toEqual({ ...headers })
      }),
    )
  })

  it('of answers are those of both parts, and the second counts', () => {
    const encoded = encodeHeaders(200, { date: 'then', etag: 'a', warning: ['one', 'two'] }, { date: 'now', 'content-length': 3 })
    const { rawHeaders } = new HeaderDecoder(1e6).decode(Buffer.from(encoded.subarray(1)))
    expect(rawHeaders).toEqual(['etag', 'a', 'warning', 'one', 'warning', 'two', 'date', 'now', 'content-length', '3'])
  })

  it('of an answer of any size are written', () => {
    const value = 'x'.repeat(100_000)
    expect(new HeaderDecoder(1e6).decode(Buffer.from(encodeHeaders(200, { etag: value }).subarray(1))).headers).toEqual({ etag: value })
    expect(encodeHeaders(404, {}).toString('hex')).toBe('8d')
    expect(encodeHeaders(410, {}).toString('hex')).toBe('0803343130')
    expect(encodeHeaders(404, {}, {}, true).toString('hex')).toBe('208d')
  })
})

describe('Huffman code', () => {
  it('is read by the shortest of its codes', () => {
    const coded = hex('9d29ad171863c78f0b97c8e9ae82ae43d3')
    expect(huffmanText(coded, 0, coded.length)).toBe('https://www.example.com')
    expect(huffmanText(coded, 0, 0)).toBe('')
  })

  it('never breaks on other bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => void huffmanText(bytes, 0, bytes.length)))
  })
})

function text(value: string): Buffer {
  const length = value.length < 127 ? [value.length] : [127, 0x80 | ((value.length - 127) & 0x7f), (value.length - 127) >> 7]
  return Buffer.concat([Buffer.from(length), Buffer.from(value)])
}

/** Fields as they are, none to be remembered. */
function block(fields: readonly (readonly string[])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name!), text(value!)]))
}
