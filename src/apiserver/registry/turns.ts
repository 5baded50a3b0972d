/**
 * Turns at writing the same object. Writes are optimistic; but where several in this process meet at one object, they form a queue, since all
 * but one would be in vain.
 */
export class Turns {
  readonly #last = new Map<string, Promise<void>>()

  /** Whether somebody waits, or writes in his turn. */
  isContended(key: string): boolean {
    return this.#last.has(key)
  }

  /** Resolves when it is the caller's turn; call the answer when it is over. */
  async take(key: string): Promise<() => void> {
    const before = this.#last.get(key)
    let end: () => void = () => undefined
    const mine = new Promise<void>(resolve => {
      end = resolve
    })
    this.#last.set(key, mine)
    await before
    return () => {
      if (this.#last.get(key) === mine) this.#last.delete(key)
      end()
    }
  }
}
