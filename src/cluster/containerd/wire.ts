/** One field of a protobuf message: either a number or bytes (text, or a message within). */
export interface WireField {
  readonly number: number
  readonly value?: bigint
  readonly bytes?: Buffer
}

/** A message with a single field that holds a text or another message. */
export function encodeText(number: number, content: string | Buffer): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes])
}

/** The fields of a message in their order. */
export function fieldsOf(message: Buffer): WireField[] {
  const fields: WireField[] = []
  let at = 0
  const next = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]
      if (byte === undefined) throw new RangeError('a protobuf message ends in the middle of a field')
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const key = Number(next())
    const number = key >> 3
    const type = key & 7
    if (type === 0) fields.push({ number, value: next() })
    else {
      const length = type === 2 ? Number(next()) : type === 1 ? 8 : 4
      fields.push({ number, bytes: message.subarray(at, at + length) })
      at += length
    }
  }
  return fields
}

/** The text of the first field with this number; empty when there is none, as protobuf has it. */
export function textOf(fields: readonly WireField[], number: number): string {
  return fields.find(field => field.number === number)?.bytes?.toString('utf8') ?? ''
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest & 127) | 128)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from([...bytes, rest])
}
