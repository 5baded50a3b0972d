import { type RequestHeaders, STATIC_FIELDS } from './header-fields.ts'
import { Http2Error } from './http2-error.ts'
import { huffmanText } from './huffman.ts'

/** How many bytes of fields the peer may have us remember; the protocol's default. */
const TABLE_BYTES = 4096
/** What a field counts for beside its name and value. */
const FIELD_BYTES = 32

/** What a header block says. `isTooLarge`: it said more, which was read (the next block builds on it) and not kept. */
export interface DecodedHeaders {
  readonly headers: RequestHeaders
  /** Names and values by turns, as they were sent. */
  readonly rawHeaders: readonly string[]
  readonly isTooLarge: boolean
  /** What is wrong with them as the headers of a request; undefined if nothing is. */
  readonly problem: string | undefined
}

/** Reads the header blocks of one connection, in order (HPACK, RFC 7541). Hot: bench/apiserver. */
export class HeaderDecoder {
  readonly #maxBytes: number
  /** Fields that the peer had us remember, the newest last. */
  #names: string[] = []
  #values: string[] = []
  #bytes = 0
  #limit = TABLE_BYTES
  #at = 0

  /** `maxBytes` is how much a request's headers may say, each field with 32 bytes on top. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Throws {@link Http2Error} where the block is none: nothing behind it can be read either. */
  decode(block: Buffer): DecodedHeaders {
    const headers: Record<string, string> = {}
    const rawHeaders: string[] = []
    let bytes = 0
    let problem: string | undefined
    let isBody = false
    let isFirst = true
    this.#at = 0
    while (this.#at < block.length) {
      const first = block[this.#at]!
      if ((first & 0xe0) === 0x20) {
        if (!isFirst) throw broken('the size of the table changes within a block')
        this.#resize(this.#integer(block, 5))
        continue
      }
      isFirst = false
      let name: string
      let value: string
      if (first & 0x80) {
        const index = this.#integer(block, 7)
        name = this.#nameAt(index)
        value = index <= STATIC_FIELDS.length ? STATIC_FIELDS[index - 1]![1] : this.#values[this.#place(index)]!
      } else {
        const isRemembered = (first & 0x40) !== 0
        const index = this.#integer(block, isRemembered ? 6 : 4)
        name = index === 0 ? this.#text(block) : this.#nameAt(index)
        value = this.#text(block)
        if (isRemembered) this.#remember(name, value)
      }
      bytes += name.length + value.length + FIELD_BYTES
      if (bytes > this.#maxBytes || problem !== undefined) continue
      const isPseudo = name.charCodeAt(0) === COLON
      problem = isPseudo ? wrongPseudo(name, isBody, headers) : wrongField(name, value)
      isBody ||= !isPseudo
      if (problem !== undefined) continue
      rawHeaders.push(name, value)
      add(headers, name, value)
    }
    return { headers, rawHeaders, isTooLarge: bytes > this.#maxBytes, problem }
  }

  #nameAt(index: number): string {
    if (index === 0) throw broken('field 0 is none')
    return index <= STATIC_FIELDS.length ? STATIC_FIELDS[index - 1]![0] : this.#names[this.#place(index)]!
  }

  #place(index: number): number {
    const place = this.#names.length - (index - STATIC_FIELDS.length)
    if (place < 0) throw broken(`field ${index} is not known`)
    return place
  }

  #remember(name: string, value: string): void {
    const size = name.length + value.length + FIELD_BYTES
    this.#bytes += size
    this.#names.push(name)
    this.#values.push(value)
    this.#evict()
  }

  #resize(limit: number): void {
    if (limit > TABLE_BYTES) throw broken(`a table of ${limit} bytes was not allowed`)
    this.#limit = limit
    this.#evict()
  }

  #evict(): void {
    let gone = 0
    while (this.#bytes > this.#limit) {
      this.#bytes -= this.#names[gone]!.length + this.#values[gone]!.length + FIELD_BYTES
      gone++
    }
    if (gone === 0) return
    this.#names.splice(0, gone)
    this.#values.splice(0, gone)
  }

  #integer(block: Buffer, bits: number): number {
    const mask = (1 << bits) - 1
    let value = block[this.#at++]! & mask
    if (value < mask) return value
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = block[this.#at++]
      if (byte === undefined) throw broken('a number is cut off')
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw broken('a number is too large')
  }

  #text(block: Buffer): string {
    const first = block[this.#at]
    if (first === undefined) throw broken('a text is cut off')
    const length = this.#integer(block, 7)
    const from = this.#at
    this.#at += length
    if (this.#at > block.length) throw broken('a text is cut off')
    if (first < 0x80) return block.toString('latin1', from, this.#at)
    const text = huffmanText(block, from, this.#at)
    if (text === undefined) throw broken('a text is not in the code')
    return text
  }
}

const COLON = 0x3a
/** Of these the first counts. */
const SINGLE: ReadonlySet<string> = new Set(
  (
    'age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since last-modified location ' +
    'max-forwards proxy-authorization referer retry-after user-agent'
  )
    .split(' ')
    .filter(name => name !== ''),
)
const PSEUDO: ReadonlySet<string> = new Set([':method', ':scheme', ':path', ':authority'])
const OF_CONNECTIONS: ReadonlySet<string> = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const CONTROL = /[\u0000-\u0008\u000a-\u001f]/

function add(headers: Record<string, string>, name: string, value: string): void {
  const known = headers[name]
  if (known === undefined || typeof known !== 'string') headers[name] = value
  else if (!SINGLE.has(name)) headers[name] = `${known}${name === 'cookie' ? '; ' : ', '}${value}`
}

function wrongPseudo(name: string, isBody: boolean, headers: RequestHeaders): string | undefined {
  if (isBody) return `${name} stands behind other fields`
  if (!PSEUDO.has(name)) return `${name} is not known`
  return headers[name] === undefined ? undefined : `${name} stands twice`
}

function wrongField(name: string, value: string): string | undefined {
  if (!KNOWN.has(name)) {
    if (OF_CONNECTIONS.has(name)) return `${name} has no place in HTTP/2`
    if (!NAME.test(name)) return 'the name of a field is none'
    if (name === 'te' && value !== 'trailers') return 'te may only say trailers'
  }
  return CONTROL.test(value) ? `the value of ${name} has control characters` : undefined
}

/** Names that need no look. */
const KNOWN: ReadonlySet<string> = new Set([
  ...STATIC_FIELDS.map(([name]) => name).filter(name => !OF_CONNECTIONS.has(name) && !name.startsWith(':')),
  'audit-id',
])

function broken(message: string): Http2Error {
  return new Http2Error('compressionError', message)
}
