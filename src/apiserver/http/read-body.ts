import { BodyTooLarge } from './exchange.ts'

/** What Node's streams of both protocols have in common here. */
interface Readable {
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown
  on(event: 'end' | 'close' | 'aborted', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  readonly readableEnded: boolean
}

/** Everything a stream brings, up to `limit` bytes; what comes beyond is thrown away. */
export function readBody(stream: Readable, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let size = 0
    stream.on('data', chunk => {
      size += chunk.length
      if (size > limit) {
        chunks.length = 0
        reject(new BodyTooLarge(limit))
      } else chunks.push(chunk)
    })
    stream.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : joined(chunks, size)))
    stream.on('error', reject)
    stream.on('close', () => {
      if (!stream.readableEnded) reject(new Error('the client went away before its request was complete'))
    })
  })
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
