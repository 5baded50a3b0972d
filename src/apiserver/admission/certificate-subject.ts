/** The organizations in the subject of a certificate request. `request` is PEM in base64, as objects carry it. */
export function organizationsOf(request: string): string[] {
  const body = /-----BEGIN[^-]+-----([\s\S]+?)-----END/.exec(atob(request))?.[1]
  if (!body) return []
  const bytes = Uint8Array.from(atob(body.replace(/\s+/g, '')), char => char.charCodeAt(0))
  const names: string[] = []
  for (let at = 0; at + ORGANIZATION.length + 2 <= bytes.length; at++) {
    if (!ORGANIZATION.every((byte, index) => bytes[at + index] === byte)) continue
    const start = at + ORGANIZATION.length
    const [from, length] = lengthAt(bytes, start + 1)
    names.push(new TextDecoder().decode(bytes.subarray(from, from + length)))
  }
  return names
}

/** The object identifier 2.5.4.10 in DER; the value follows. */
const ORGANIZATION = [0x06, 0x03, 0x55, 0x04, 0x0a]

/** Where a value begins whose length stands at `at`, and how long it is. */
function lengthAt(bytes: Uint8Array, at: number): [from: number, length: number] {
  const first = bytes[at] ?? 0
  if (first < 0x80) return [at + 1, first]
  const count = first & 0x7f
  let length = 0
  for (let index = 1; index <= count && index <= 4; index++) length = length * 256 + (bytes[at + index] ?? 0)
  return [at + 1 + count, length]
}
