/** A name as text, and the offset behind it in the message. */
export interface ReadName {
  readonly name: string
  readonly end: number
}

/** Reads the name at `offset`, following compression; undefined when the bytes are no name. */
export function readName(bytes: Uint8Array, offset: number): ReadName | undefined {
  const labels: string[] = []
  let at = offset
  let end: number | undefined
  let length = 0
  // Pointers may only lead back, so that a name cannot lead into itself.
  let limit = offset
  for (;;) {
    const size = bytes[at]
    if (size === undefined) return undefined
    if (size === 0) return { name: labels.join('.'), end: end ?? at + 1 }
    if (size >= 0xc0) {
      const low = bytes[at + 1]
      if (low === undefined) return undefined
      const target = ((size & 0x3f) << 8) | low
      if (target >= limit) return undefined
      end ??= at + 2
      limit = target
      at = target
      continue
    }
    length += size + 1
    if (size > 63 || length > 254 || at + 1 + size > bytes.length) return undefined
    labels.push(readLabel(bytes, at + 1, size))
    at += 1 + size
  }
}

/** The bytes of one label that was written as text. */
export function labelBytes(label: string): number[] {
  const bytes: number[] = []
  for (let index = 0; index < label.length; index++) {
    if (label[index] === '\\') {
      bytes.push(Number(label.slice(index + 1, index + 4)) & 255)
      index += 3
    } else bytes.push(label.charCodeAt(index) & 255)
  }
  return bytes
}

/** How many bytes a name takes without pointers. */
export function encodedLength(name: string): number {
  return name === '' ? 1 : name.split('.').reduce((length, label) => length + 1 + labelBytes(label).length, 1)
}

function readLabel(bytes: Uint8Array, start: number, size: number): string {
  let label = ''
  for (let index = start; index < start + size; index++) {
    const byte = bytes[index]!
    if (byte >= 0x41 && byte <= 0x5a) label += String.fromCharCode(byte + 32)
    else if (isPlain(byte)) label += String.fromCharCode(byte)
    else label += `\\${String(byte).padStart(3, '0')}`
  }
  return label
}

/** Letters, digits, `-`, `_` and a few that are common in names; everything else, the dot above all, is escaped. */
function isPlain(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f && byte !== 0x2e && byte !== 0x5c
}
