import { decode as decodeBuffer, encode, RECURSION_DESIRED } from 'dns-packet'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readAnswer } from './answer.ts'
import { encodeQuery } from './query.ts'
import { type RecordData, type ResourceRecord, TYPE_CODES } from './record.ts'
import { type Request, readRequest } from './request.ts'
import { encodeResponse } from './response.ts'

const decode = (bytes: Uint8Array) => decodeBuffer(Buffer.from(bytes))
const label = fc.stringMatching(/^[a-z0-9_]([a-z0-9-]{0,14}[a-z0-9])?$/)
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map(labels => labels.join('.'))
const ip = fc.tuple(...Array.from({ length: 4 }, () => fc.nat(255))).map(octets => octets.join('.'))
const uint16 = fc.nat(65_535)
const data: fc.Arbitrary<RecordData> = fc.oneof(
  ip.map(address => ({ type: 'A' as const, address })),
  fc.constantFrom('fd00::1', '::1', '2001:db8:1:2:3:4:5:6').map(address => ({ type: 'AAAA' as const, address })),
  name.map(target => ({ type: 'CNAME' as const, target })),
  name.map(target => ({ type: 'PTR' as const, target })),
  fc.record({ type: fc.constant('SRV' as const), priority: uint16, weight: uint16, port: uint16, target: name }),
  fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 3 }).map(texts => ({ type: 'TXT' as const, texts })),
)
const record: fc.Arbitrary<ResourceRecord> = fc.record({ name, ttlSeconds: fc.nat(2 ** 31 - 1), data })

const request = (bytes: Uint8Array) => readRequest(bytes) as Request
const reply = (answers: readonly ResourceRecord[]) =>
  ({ rcode: 'NOERROR', authoritative: true, recursionAvailable: false, answers }) as const

function asLibrary({ name: owner, ttlSeconds, data: content }: ResourceRecord) {
  const base = { name: owner, ttl: ttlSeconds, type: content.type }
  if (content.type === 'A' || content.type === 'AAAA') return { ...base, data: content.address }
  if (content.type === 'SRV') {
    const { priority, weight, port, target } = content
    return { ...base, data: { priority, weight, port, target } }
  }
  if (content.type === 'TXT') return { ...base, data: content.texts.map(text => Buffer.from(text)) }
  return { ...base, data: 'target' in content ? content.target : undefined }
}

describe('an encoded answer', () => {
  it('says the same to another decoder', () => {
    fc.assert(
      fc.property(name, fc.array(record, { maxLength: 20 }), (asked, records) => {
        const decoded = decode(encodeResponse(request(encodeQuery(7, asked, TYPE_CODES.A)), reply(records), 65_535))
        expect(decoded).toMatchObject({ id: 7, type: 'response', rcode: 'NOERROR', flag_aa: true, flag_tc: false })
        expect(decoded.questions).toEqual([{ name: asked, type: 'A', class: 'IN' }])
        expect(decoded.answers.map(({ name: owner, type, ttl, data: content }) => ({ name: owner, ttl, type, data: content }))).toEqual(
          records.map(asLibrary),
        )
      }),
    )
  })

  it('says the same to our own decoder', () => {
    fc.assert(
      fc.property(name, fc.array(record, { maxLength: 20 }), (asked, records) => {
        const plain = records.filter(({ data: { type } }) => type === 'A' || type === 'AAAA' || type === 'CNAME' || type === 'PTR')
        expect(readAnswer(encodeResponse(request(encodeQuery(7, asked, TYPE_CODES.A)), reply(plain), 65_535))?.records).toEqual(plain)
      }),
    )
  })

  it('is no longer than the client takes, whole records only, and says so when some are missing', () => {
    fc.assert(
      fc.property(name, fc.array(record, { maxLength: 40 }), fc.integer({ min: 320, max: 1_232 }), (asked, records, limit) => {
        const query = encode({
          id: 1,
          flags: RECURSION_DESIRED,
          questions: [{ name: asked, type: 'A' }],
          additionals: [{ name: '.', type: 'OPT', udpPayloadSize: limit }],
        })
        const bytes = encodeResponse(request(query), reply(records), limit)
        const decoded = decode(bytes)
        expect(bytes.length).toBeLessThanOrEqual(limit)
        expect(decoded.flag_tc).toBe(decoded.answers.length < records.length)
        expect(decoded.additionals.map(additional => additional.type)).toEqual(['OPT'])
      }),
    )
  })

  it('gives the client its own letters back', () => {
    const query = encode({ id: 1, questions: [{ name: 'WeB.Default.svc.cluster.local', type: 'A' }] })
    const bytes = encodeResponse(
      request(query),
      reply([{ name: 'web.default.svc.cluster.local', ttlSeconds: 5, data: { type: 'A', address: '10.0.0.1' } }]),
      512,
    )
    expect(decode(bytes).answers[0]!.name).toBe('WeB.Default.svc.cluster.local')
  })

  it('points to names instead of repeating them', () => {
    const target = 'a-rather-long-name.web.default.svc.cluster.local'
    const records = Array.from({ length: 10 }, () => ({ name: target, ttlSeconds: 5, data: { type: 'A', address: '10.0.0.1' } as const }))
    const bytes = encodeResponse(request(encodeQuery(1, 'web.default.svc.cluster.local', TYPE_CODES.A)), reply(records), 65_535)
    expect(bytes.length).toBeLessThan(12 + 35 + 21 + 10 * 16)
  })
})

describe('a query', () => {
  it.each([
    ['less than a header', [1, 2, 3], undefined],
    ['an answer', [0, 1, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1], undefined],
    ['another operation', [0, 1, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1], 'NOTIMP'],
    ['no question', [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'FORMERR'],
    ['two questions', [0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1], 'FORMERR'],
    ['a name that points at itself', [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1], 'FORMERR'],
    ['a name that points into the header', [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 6, 0, 1, 0, 1], 'FORMERR'],
    ['a name that ends too early', [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 9, 97], 'FORMERR'],
  ])('of %s is told apart', (_, bytes, rcode) => {
    expect((readRequest(Uint8Array.from(bytes)) as { rcode?: string } | undefined)?.rcode).toBe(rcode)
  })

  it('of any bytes at all neither throws nor hangs, as a query or as an answer', () => {
    const header = fc.tuple(fc.constantFrom(0, 0x80), fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }))
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 80 }), ([flag, counts], rest) => {
        const bytes = Uint8Array.from([0, 1, flag, 0, ...counts, ...rest])
        const read = readRequest(bytes)
        readAnswer(bytes)
        if (read && 'name' in read) encodeResponse(read, reply([]), 512)
      }),
      { numRuns: 2_000 },
    )
  })

  it('with bytes that are no letters keeps them apart from dots and digits', () => {
    const read = request(Uint8Array.from([0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 97, 0x2e, 98, 1, 0, 0, 0, 1, 0, 1]))
    expect(read.name).toBe('a\\046b.\\000')
    expect([...encodeQuery(1, read.name, 1)].slice(12, -5)).toEqual([3, 97, 0x2e, 98, 1, 0])
  })
})
