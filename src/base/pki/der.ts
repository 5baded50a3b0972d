/** A value in DER (X.690): its tag, the bytes within, and all of its bytes. */
export interface DerValue {
  readonly tag: number
  readonly content: Uint8Array
  readonly whole: Uint8Array
}

export const [DER_SEQUENCE, DER_OBJECT_IDENTIFIER, DER_BIT_STRING] = [0x30, 0x06, 0x03]

/** The values that stand one behind the other in `bytes`; undefined if these are not values to the last byte, each in the shortest form. */
export function derValues(bytes: Uint8Array): DerValue[] | undefined {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const [from, length] = lengthAt(bytes, at + 1)
    if (from < 0 || from + length > bytes.length) return undefined
    values.push({ tag: bytes[at]!, content: bytes.subarray(from, from + length), whole: bytes.subarray(at, from + length) })
    at = from + length
  }
  return values
}

/** The values of the one sequence that `bytes` are; undefined if they are something else. */
export function derSequence(bytes: Uint8Array): DerValue[] | undefined {
  const [only, ...more] = derValues(bytes) ?? []
  return only?.tag === DER_SEQUENCE && more.length === 0 ? derValues(only.content) : undefined
}

/** Where the content begins whose length stands at `at`, and how long it is; -1 if no length stands there. */
function lengthAt(bytes: Uint8Array, at: number): [from: number, length: number] {
  const first = bytes[at]
  if (first === undefined) return [-1, 0]
  if (first < 0x80) return [at + 1, first]
  const count = first & 0x7f
  if (count === 0 || count > 4 || at + count >= bytes.length) return [-1, 0]
  let length = 0
  for (let index = 1; index <= count; index++) length = length * 256 + bytes[at + index]!
  const isShortest = length >= 0x80 && (count === 1 || length >= 256 ** (count - 1))
  return isShortest ? [at + 1 + count, length] : [-1, 0]
}
