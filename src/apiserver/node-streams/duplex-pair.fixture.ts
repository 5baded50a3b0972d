import { Duplex } from 'node:stream'

/** Two ends of a connection in memory, each of which may end on its own. */
export function duplexPair(): [Duplex, Duplex] {
  const ends: [End, End] = [new End(), new End()]
  ends[0].other = ends[1]
  ends[1].other = ends[0]
  return ends
}

class End extends Duplex {
  other: End | undefined
  #taken: (() => void) | undefined

  override _read(): void {
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }

  /** What the other end writes; `done` is called once it has been read. */
  give(chunk: Buffer | null, done: () => void): void {
    if (this.destroyed || this.push(chunk) || chunk === null) done()
    else this.#taken = done
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.other!.give(chunk, done)
  }

  override _final(done: () => void): void {
    this.other!.give(null, done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#taken?.()
    if (!this.other!.destroyed && !this.writableFinished) this.other!.destroy()
    done(error)
  }
}
