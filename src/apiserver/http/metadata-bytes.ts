import { beside } from '#base/collections/beside.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'

const START = Buffer.from(',"metadata":')
const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d]
const ends = beside<number>()

/**
 * The metadata in the JSON of an object, as a part of `bytes`; undefined where it does not stand behind kind and apiVersion. Hot:
 * bench/apiserver — looked for once.
 */
export function metadataBytes(object: ApiObject, bytes: Uint8Array): Uint8Array | undefined {
  // What stands before it are the three quoted words and two quoted names.
  const from = `{"kind":"${object.kind}","apiVersion":"${object.apiVersion}"`.length + START.length
  let end = ends.get(object)
  if (end === undefined) {
    const hasStart = START.equals(bytes.subarray(from - START.length, from))
    end = hasStart && bytes[from] === OPEN ? endOf(bytes, from) : 0
    ends.set(object, end)
  }
  return end > 0 ? bytes.subarray(from, end) : undefined
}

/** Where the object that begins at `from` ends. */
function endOf(bytes: Uint8Array, from: number): number {
  let depth = 0
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at]
    if (byte === OPEN) depth++
    else if (byte === CLOSE) {
      if (--depth === 0) return at + 1
    } else if (byte === QUOTE) {
      at++
      while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
    }
  }
  return 0
}
