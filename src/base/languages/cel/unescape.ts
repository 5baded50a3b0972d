/** A literal cannot be read. */
export class LiteralError extends Error {}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', "'": "'", '"': '"', '`': '`', '?': '?',
} // biome-ignore format: a table

/** The text that a string literal, quotes and all, stands for. */
export function unquoteString(literal: string): string {
  const { text, isRaw } = withoutQuotes(literal)
  if (isRaw || !text.includes('\\')) return text
  let result = ''
  for (const part of escapes(text)) {
    if (typeof part === 'string') result += part
    else {
      if (part.code > 0x10ffff || (part.code >= 0xd800 && part.code <= 0xdfff)) throw new LiteralError('invalid unicode code point')
      result += String.fromCodePoint(part.code)
    }
  }
  return result
}

/** The bytes that a literal such as `b'\xff'` stands for. */
export function unquoteBytes(literal: string): Uint8Array {
  const { text, isRaw } = withoutQuotes(literal.slice(1))
  const encoder = new TextEncoder()
  if (isRaw || !text.includes('\\')) return encoder.encode(text)
  const bytes: number[] = []
  for (const part of escapes(text)) {
    if (typeof part === 'string') bytes.push(...encoder.encode(part))
    else if (part.isUnicode) throw new LiteralError('unable to unescape string')
    else bytes.push(part.code)
  }
  return Uint8Array.from(bytes)
}

function withoutQuotes(literal: string): { text: string; isRaw: boolean } {
  const isRaw = literal[0] === 'r' || literal[0] === 'R'
  const quoted = (isRaw ? literal.slice(1) : literal).replace(/\r\n?/g, '\n')
  const width = quoted.startsWith('"""') || quoted.startsWith("'''") ? 3 : 1
  return { text: quoted.slice(width, -width), isRaw }
}

/** Runs of plain text, and the codes that escapes stand for. */
function* escapes(text: string): Generator<string | { code: number; isUnicode: boolean }> {
  let at = 0
  while (at < text.length) {
    const next = text.indexOf('\\', at)
    if (next < 0) {
      yield text.slice(at)
      return
    }
    if (next > at) yield text.slice(at, next)
    const letter = text[next + 1]!
    const simple = Object.hasOwn(SIMPLE, letter) ? SIMPLE[letter] : undefined
    if (simple !== undefined) {
      yield simple
      at = next + 2
      continue
    }
    const digits = letter === 'x' || letter === 'X' ? 2 : letter === 'u' ? 4 : letter === 'U' ? 8 : 0
    const octal = digits === 0
    const code = octal ? Number.parseInt(text.slice(next + 1, next + 4), 8) : Number.parseInt(text.slice(next + 2, next + 2 + digits), 16)
    if (Number.isNaN(code)) throw new LiteralError('unable to unescape string')
    yield { code, isUnicode: letter === 'u' || letter === 'U' }
    at = next + (octal ? 4 : 2 + digits)
  }
}
