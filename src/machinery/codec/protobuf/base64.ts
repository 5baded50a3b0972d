const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUES = new Uint8Array(128).fill(255)
for (let index = 0; index < ALPHABET.length; index++) VALUES[ALPHABET.charCodeAt(index)] = index

/** The bytes that standard base64 stands for; line breaks are skipped. The text was checked when it was decoded. */
export function bytesOfBase64(text: string): Uint8Array {
  const clean = /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, '') : text
  const padding = clean.endsWith('==') ? 2 : clean.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array(Math.max(0, (clean.length / 4) * 3 - padding))
  let at = 0
  for (let index = 0; index < clean.length; index += 4) {
    const group =
      (sextet(clean, index) << 18) | (sextet(clean, index + 1) << 12) | (sextet(clean, index + 2) << 6) | sextet(clean, index + 3)
    if (at < bytes.length) bytes[at++] = group >> 16
    if (at < bytes.length) bytes[at++] = group >> 8
    if (at < bytes.length) bytes[at++] = group
  }
  return bytes
}

/** Standard base64 with padding. */
export function base64Of(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let index = 0; index < bytes.length; index += 3) {
    const left = bytes.length - index
    const group = (bytes[index]! << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
    parts.push(
      ALPHABET[group >> 18]! +
        ALPHABET[(group >> 12) & 63]! +
        (left > 1 ? ALPHABET[(group >> 6) & 63]! : '=') +
        (left > 2 ? ALPHABET[group & 63]! : '='),
    )
  }
  return parts.join('')
}

function sextet(text: string, index: number): number {
  const value = VALUES[text.charCodeAt(index)] ?? 255
  return value === 255 ? 0 : value
}
