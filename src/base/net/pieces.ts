/** Bytes in several pieces, one behind the other: an array of them, or what makes each when it is asked for. None changes any more. */
export interface Pieces extends Iterable<Uint8Array> {
  /** How many pieces. */
  readonly length: number
  /** Of all pieces together, where it is known without asking for them. */
  readonly byteLength?: number
  at(index: number): Uint8Array | undefined
}

/** How many bytes the pieces are together. */
export function byteLengthOf(pieces: Pieces): number {
  if (pieces.byteLength !== undefined) return pieces.byteLength
  let length = 0
  for (const piece of pieces) length += piece.length
  return length
}
