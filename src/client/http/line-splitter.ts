/** Cuts a stream of bytes into lines, whatever pieces it comes in. */
export class LineSplitter {
  readonly #onLine: (line: Buffer) => void
  #rest: Buffer[] = []

  constructor(onLine: (line: Buffer) => void) {
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      const piece = chunk.subarray(from, at)
      from = at + 1
      const line = this.#rest.length === 0 ? piece : Buffer.concat([...this.#rest, piece])
      this.#rest = []
      if (line.length > 0) this.#onLine(line)
    }
    if (from < chunk.length) this.#rest.push(chunk.subarray(from))
  }

  /** What came after the last line. */
  end(): void {
    const line = Buffer.concat(this.#rest)
    this.#rest = []
    if (line.length > 0) this.#onLine(line)
  }
}

const NEWLINE = 10
