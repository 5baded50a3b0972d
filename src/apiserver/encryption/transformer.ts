/** What is done to values on their way to the store, and undone on the way back. */
export interface ValueTransformer {
  /** Names provider and key of what is written now. A value that was written by another one is stale: its next update writes it anew. */
  readonly writer: string
  /** `key` is the value's own in the store: providers that authenticate bind the value to it. */
  toStorage(key: string, value: Uint8Array): Uint8Array
  /** Throws with the reason if the value cannot be had. */
  fromStorage(key: string, stored: Uint8Array): ReadValue
  /** Fetches what reading needs that is not here; undefined if nothing is. It never rejects: reading then says why. */
  prepare?(stored: Uint8Array): Promise<void> | undefined
}

export interface ReadValue {
  readonly value: Uint8Array
  readonly writer: string
}

/** A transformer and the prefix of what it has written. */
export interface PrefixedTransformer {
  readonly prefix: string
  readonly transformer: ValueTransformer
}

/** What every encrypted value begins with. */
export const ENCRYPTED = Buffer.from('k8s:enc:')

/** Why a value that begins so is not read where nothing is encrypted: in upstream's words. */
export const READ_AS_IDENTITY = 'identity transformer tried to read encrypted data'

/** Upstream's `identity` provider: values as they are. */
export const identity: ValueTransformer = {
  writer: '',
  toStorage: (_key, value) => value,
  fromStorage(_key, stored) {
    if (startsWith(stored, ENCRYPTED)) throw new Error(READ_AS_IDENTITY)
    return { value: stored, writer: '' }
  },
}

/**
 * Several transformers of which the first writes and each reads what has its prefix. A failure does not keep the next one with the same
 * prefix from being tried: keys of one name may have been exchanged.
 */
export class PrefixTransformers implements ValueTransformer {
  readonly #all: readonly { readonly prefix: Buffer; readonly transformer: ValueTransformer }[]
  readonly #noneFound: string

  constructor(all: readonly PrefixedTransformer[], noneFound: string) {
    this.#all = all.map(({ prefix, transformer }) => ({ prefix: Buffer.from(prefix), transformer }))
    this.#noneFound = noneFound
  }

  get writer(): string {
    const { prefix, transformer } = this.#all[0]!
    return prefix.toString() + transformer.writer
  }

  toStorage(key: string, value: Uint8Array): Uint8Array {
    const { prefix, transformer } = this.#all[0]!
    const stored = transformer.toStorage(key, value)
    return prefix.length === 0 ? stored : Buffer.concat([prefix, stored])
  }

  fromStorage(key: string, stored: Uint8Array): ReadValue {
    const failures: Error[] = []
    for (const { prefix, transformer } of this.#all) {
      if (!startsWith(stored, prefix)) continue
      try {
        const { value, writer } = transformer.fromStorage(key, stored.subarray(prefix.length))
        return { value, writer: prefix.toString() + writer }
      } catch (error) {
        // Identity refuses what is encrypted: that is for those behind it.
        if (prefix.length > 0) failures.push(error as Error)
      }
    }
    if (failures.length === 0) throw new Error(this.#noneFound)
    throw failures.length === 1 ? failures[0] : new Error(`[${failures.map(({ message }) => message).join(', ')}]`)
  }

  prepare(stored: Uint8Array): Promise<void> | undefined {
    for (const { prefix, transformer } of this.#all) {
      const pending = startsWith(stored, prefix) ? transformer.prepare?.(stored.subarray(prefix.length)) : undefined
      if (pending) return pending
    }
    return undefined
  }
}

export function startsWith(value: Uint8Array, prefix: Uint8Array): boolean {
  if (value.length < prefix.length) return false
  for (let index = 0; index < prefix.length; index++) if (value[index] !== prefix[index]) return false
  return true
}
