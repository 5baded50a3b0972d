/** The text is no JSON; the message is that of Go's `encoding/json`. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
}

/** A character as those messages show it: `'x'`, `'\''`, `'\x01'`. Go looks at bytes, so beyond ASCII it is the first byte. */
export function charText(char: string): string {
  if (char === "'") return "'\\''"
  if (char === '"') return `'"'`
  const code = char.charCodeAt(0)
  const byte = code < 0x80 ? code : (new TextEncoder().encode(char)[0] ?? 0xef)
  if (byte >= 0x20 && byte !== 0x7f && byte !== 0x5c && (byte < 0x80 || byte > 0xa0)) return `'${String.fromCharCode(byte)}'`
  return `'${ESCAPES[byte] ?? (byte < 0x80 ? `\\x${byte.toString(16).padStart(2, '0')}` : `\\u${byte.toString(16).padStart(4, '0')}`)}'`
}

const ESCAPES: Readonly<Record<number, string>> = { 7: '\\a', 8: '\\b', 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 92: '\\\\' }
