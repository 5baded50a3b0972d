import { declareFunction, globalOverload, type Library, memberOverload } from '../declarations.ts'
import { EvaluationError } from '../evaluation-error.ts'
import { type FormatStyle, formatString } from '../format.ts'
import { DYN, INT, listOf, STRING } from '../types.ts'
import { ArrayList, type CelList } from '../values.ts'

/**
 * cel-go's extension for strings. Positions count code points. `localized` is version 2 of it, which Kubernetes keeps to: without `reverse`,
 * and with another way to format.
 */
export function stringsLibrary(style: FormatStyle): Library {
  return {
    functions: [
      declareFunction('charAt', memberOverload('string_char_at_int', [STRING, INT], STRING, charAt)),
      declareFunction(
        'indexOf',
        memberOverload('string_index_of_string', [STRING, STRING], INT, indexOf),
        memberOverload('string_index_of_string_int', [STRING, STRING, INT], INT, indexOf),
      ),
      declareFunction(
        'lastIndexOf',
        memberOverload('string_last_index_of_string', [STRING, STRING], INT, lastIndexOf),
        memberOverload('string_last_index_of_string_int', [STRING, STRING, INT], INT, lastIndexOf),
      ),
      declareFunction(
        'lowerAscii',
        memberOverload('string_lower_ascii', [STRING], STRING, (text: string) => text.replace(/[A-Z]+/g, part => part.toLowerCase())),
      ),
      declareFunction(
        'upperAscii',
        memberOverload('string_upper_ascii', [STRING], STRING, (text: string) => text.replace(/[a-z]+/g, part => part.toUpperCase())),
      ),
      declareFunction(
        'replace',
        memberOverload('string_replace_string_string', [STRING, STRING, STRING], STRING, replace),
        memberOverload('string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, replace),
      ),
      declareFunction(
        'split',
        memberOverload('string_split_string', [STRING, STRING], listOf(STRING), split),
        memberOverload('string_split_string_int', [STRING, STRING, INT], listOf(STRING), split),
      ),
      declareFunction(
        'substring',
        memberOverload('string_substring_int', [STRING, INT], STRING, substring),
        memberOverload('string_substring_int_int', [STRING, INT, INT], STRING, substring),
      ),
      declareFunction(
        'trim',
        memberOverload('string_trim', [STRING], STRING, (text: string) => text.replace(TRIMMED, '')),
      ),
      declareFunction(
        'format',
        memberOverload('string_format', [STRING, listOf(DYN)], STRING, (text: string, args: CelList) => formatString(text, args, style)),
      ),
      declareFunction('strings.quote', globalOverload('strings_quote', [STRING], STRING, quote)),
      declareFunction(
        'join',
        memberOverload('list_join', [listOf(STRING)], STRING, join),
        memberOverload('list_join_string', [listOf(STRING), STRING], STRING, join),
      ),
      ...(style === 'plain' ? [REVERSE] : []),
    ],
  }
}

const REVERSE = declareFunction(
  'reverse',
  memberOverload('string_reverse', [STRING], STRING, (text: string) => [...text].reverse().join('')),
)

/** What a replacement or joining may make: longer than any request. */
const MAX_LENGTH = 16 * 1024 * 1024

function checkLength(length: number): void {
  if (length > MAX_LENGTH) throw new EvaluationError(`the result would have more than ${MAX_LENGTH} characters`)
}

/** Unicode's White_Space, which is what Go's TrimSpace takes away; JavaScript's \s takes U+FEFF too, and not U+0085. */
const TRIMMED =
  /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g

const outOfRange = (index: bigint) => new EvaluationError(`index out of range: ${index}`)

function charAt(text: string, index: bigint): string {
  const characters = [...text]
  if (index < 0n || index > BigInt(characters.length)) throw outOfRange(index)
  return characters[Number(index)] ?? ''
}

function indexOf(text: string, part: string, offset = 0n): bigint {
  if (part === '') return offset
  const characters = [...text]
  if (offset < 0n || offset >= BigInt(characters.length)) {
    if (offset === 0n) return -1n
    throw outOfRange(offset)
  }
  const found = text.indexOf(part, characters.slice(0, Number(offset)).join('').length)
  return found < 0 ? -1n : BigInt([...text.slice(0, found)].length)
}

function lastIndexOf(text: string, part: string, offset?: bigint): bigint {
  const characters = [...text]
  const length = BigInt(characters.length)
  if (part === '') return offset ?? length
  if (characters.length === 0 && offset === undefined) return -1n
  const from = offset ?? length - 1n
  if (from < 0n || from >= length) throw outOfRange(from)
  const found = text.lastIndexOf(part, characters.slice(0, Number(from)).join('').length)
  return found < 0 ? -1n : BigInt([...text.slice(0, found)].length)
}

function replace(text: string, old: string, replacement: string, limit = -1n): string {
  if (limit === 0n || old === replacement) return text
  checkLength((old === '' ? text.length + 1 : Math.floor(text.length / old.length)) * replacement.length + text.length)
  if (limit < 0n && old !== '') return text.replaceAll(old, () => replacement)
  const pieces = old === '' ? ['', ...text] : text.split(old)
  const most = limit < 0n ? pieces.length : Number(limit)
  if (old === '') {
    // The empty string stands before every character and at the end.
    const characters = [...text]
    let result = ''
    characters.forEach((character, i) => {
      result += i < most ? replacement + character : character
    })
    return characters.length < most ? result + replacement : result
  }
  let result = pieces[0]!
  for (let i = 1; i < pieces.length; i++) result += (i <= most ? replacement : old) + pieces[i]!
  return result
}

function split(text: string, separator: string, limit = -1n): ArrayList {
  if (limit === 0n) return new ArrayList([])
  const pieces = separator === '' ? [...text] : text.split(separator)
  const most = Number(limit)
  if (limit < 0n || pieces.length <= most) return new ArrayList(pieces)
  return new ArrayList([...pieces.slice(0, most - 1), pieces.slice(most - 1).join(separator)])
}

function substring(text: string, start: bigint, end?: bigint): string {
  const characters = [...text]
  const length = BigInt(characters.length)
  const to = end ?? length
  if (end !== undefined && start > end) throw new EvaluationError(`invalid substring range. start: ${start}, end: ${end}`)
  if (start < 0n || start > length) throw outOfRange(start)
  if (to < 0n || to > length) throw outOfRange(to)
  return characters.slice(Number(start), Number(to)).join('')
}

function join(list: CelList, separator = ''): string {
  const parts: string[] = []
  let length = 0
  for (const part of list) {
    if (typeof part !== 'string') throw new EvaluationError('join: invalid input: not a string')
    length += part.length + separator.length
    checkLength(length)
    parts.push(part)
  }
  return parts.join(separator)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\x07': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\', '"': '\\"',
} // biome-ignore format: a table

function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that have an escape of their own
  return `"${text.replace(/[\x07\b\f\n\r\t\v\\"]/g, character => ESCAPES[character]!)}"`
}
