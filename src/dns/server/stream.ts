/** Cuts a TCP stream into its messages, each of which has its length in front. */
export function messagesIn(): (chunk: Uint8Array) => Uint8Array[] {
  let rest: Uint8Array = new Uint8Array(0)
  return chunk => {
    const bytes = rest.length === 0 ? chunk : concatenated(rest, chunk)
    const messages: Uint8Array[] = []
    let at = 0
    while (bytes.length - at >= 2) {
      const end = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!)
      if (end > bytes.length) break
      messages.push(bytes.subarray(at + 2, end))
      at = end
    }
    rest = bytes.slice(at)
    return messages
  }
}

/** A message as it goes over TCP. */
export function withLength(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 2)
  bytes[0] = message.length >> 8
  bytes[1] = message.length & 255
  bytes.set(message, 2)
  return bytes
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length)
  bytes.set(first)
  bytes.set(second, first.length)
  return bytes
}
