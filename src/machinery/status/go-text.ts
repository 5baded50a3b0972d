/**
 * Values as Kubernetes writes them inside messages: strings quoted as Go's `%q`, objects and lists as JSON. Clients and tests compare these
 * messages, so the escapes are Go's and not JavaScript's.
 */
export function textOfValue(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'object') return goJson(value)
  return String(value)
}

/** `text` in double quotes as Go's `strconv.Quote`: printable characters stay, the rest is escaped. */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`
  let quoted = '"'
  for (const char of text) quoted += quotedChar(char)
  return `${quoted}"`
}

/** JSON as Go's `json.Marshal` prints it: `<`, `>` and `&` are escaped, integers beyond 2^53 are exact. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${BIGINT_MARK}${item}` : item)) ?? 'null'
  const exact = text.includes(BIGINT_MARK) ? text.replace(BIGINT_TEXT, '$1') : text
  return HTML.test(exact) ? exact.replace(HTML_ALL, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`) : exact
}

/** Lists of values in messages: `"a", "b"`. */
export function quoteAll(values: readonly string[]): string {
  return values.map(quote).join(', ')
}

const PLAIN = /^[ !#-[\]-~]*$/
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u
const HTML = /[<>&\u2028\u2029]/
const HTML_ALL = /[<>&\u2028\u2029]/g
const BIGINT_MARK = '\ue000bigint:'
const BIGINT_TEXT = /"\ue000bigint:(-?\d+)"/g
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

function quotedChar(char: string): string {
  const short = SHORT[char]
  if (short !== undefined) return short
  const code = char.codePointAt(0)!
  if (code === 0x20 || PRINTABLE.test(char)) return char
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, '0')}`
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd'
  return code < 0x10000 ? `\\u${code.toString(16).padStart(4, '0')}` : `\\U${code.toString(16).padStart(8, '0')}`
}
