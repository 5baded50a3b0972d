import type { Operation } from './log-append.ts'

/** A record of LMDB. */
export interface Entry {
  readonly key: Buffer
  readonly value: Buffer
}

/** Operations that LMDB has not been given, over the records it holds: what it would answer if it had been. */
export class Overlay {
  readonly #operations: ReadonlyMap<string, Operation>

  /** The last operation of a key counts. */
  constructor(operations: readonly Operation[]) {
    this.#operations = new Map(operations.map(operation => [operation.key.toString('latin1'), operation]))
  }

  /** What becomes of this key; undefined if nothing does. */
  get(key: Buffer): Operation | undefined {
    return this.#operations.get(key.toString('latin1'))
  }

  /** `records` are those from `start` to before `end`, in the order of their keys; so are those that are answered. */
  *over(records: Iterable<Entry>, start: Buffer, end?: Buffer): Generator<Entry> {
    const own = [...this.#operations.values()]
      .filter(({ key }) => key.compare(start) >= 0 && (!end || key.compare(end) < 0))
      .sort((one, other) => one.key.compare(other.key))
    let index = 0
    for (const record of records) {
      for (; index < own.length && own[index]!.key.compare(record.key) < 0; index++) yield* entryOf(own[index]!)
      if (index < own.length && own[index]!.key.equals(record.key)) yield* entryOf(own[index++]!)
      else yield record
    }
    for (; index < own.length; index++) yield* entryOf(own[index]!)
  }
}

function entryOf({ key, value }: Operation): Entry[] {
  return value ? [{ key, value }] : []
}
