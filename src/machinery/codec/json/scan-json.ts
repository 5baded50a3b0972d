/** What one pass over JSON text tells about it, before `JSON.parse` sees it. */
export interface JsonScan {
  /** Colons outside strings: as many as there are keys, repeated ones counted again. */
  readonly keys: number
  readonly maxDepth: number
  /** There are numbers, or escapes, that `JSON.parse` would not read as Go does. */
  readonly isDelicate: boolean
}

// Hot: bench/codec — a few nanoseconds per byte, so that duplicate keys can be noticed on every request.
export function scanJson(text: string): JsonScan {
  let keys = 0
  let depth = 0
  let maxDepth = 0
  let isDelicate = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    switch (code) {
      case QUOTE: {
        const end = endOfString(text, at + 1)
        if (end < 0) return { keys, maxDepth, isDelicate }
        at = end
        break
      }
      case COLON:
        keys++
        break
      case OPEN_BRACE:
      case OPEN_BRACKET:
        if (++depth > maxDepth) maxDepth = depth
        break
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--
        break
      default:
        if (code >= ZERO && code <= NINE) {
          const start = at
          while (isNumberPart(text.charCodeAt(at + 1))) at++
          if (at - start >= 15) isDelicate = true
        }
    }
  }
  isDelicate ||= FLOAT_OR_SURROGATE.test(text)
  return { keys, maxDepth, isDelicate }
}

/** Index of the quote that ends the string which begins at `from`, or -1. */
function endOfString(text: string, from: number): number {
  let end = text.indexOf('"', from)
  while (end > 0) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
  return -1
}

function isNumberPart(code: number): boolean {
  return code >= ZERO && code <= NINE
}

const QUOTE = 0x22
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const BACKSLASH = 0x5c
const ZERO = 0x30
const NINE = 0x39

/** A float where a value begins, or an escaped surrogate; strings that look alike only cost time. */
const FLOAT_OR_SURROGATE = /(?:"\s*:|[[,]|^)\s*-?\d+[.eE]|\\u[dD][89a-fA-F]/
