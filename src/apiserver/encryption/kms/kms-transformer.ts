import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock, Timer } from '#base/time/clock.ts'
import { openGcm, sealGcm, TOO_SHORT } from '../aes-gcm.ts'
import type { ReadValue, ValueTransformer } from '../transformer.ts'
import { AES_GCM_KEY, checkSource, decodeEncryptedObject, type EncryptedObject, encodeEncryptedObject, SEED } from './encrypted-object.ts'
import type { KmsService, KmsStatus } from './kms-service.ts'

export interface KmsOptions {
  readonly name: string
  readonly service: KmsService
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** How often the service is asked how it is, and how long what it encrypted may be used without its saying so again: upstream's times. */
const ASK_EVERY_MS = 60_000
const ASK_AGAIN_MS = 10_000
const SEED_VALID_MS = 3 * 60_000
/** Seeds that reading needed are kept for a day, as far as this many. */
const MAX_SOURCES = 10_000
const INFO_BYTES = 32
const SEED_BYTES = 32

/** The seed that values are written with now, as the service encrypted it. */
interface Seed extends Pick<EncryptedObject, 'keyId' | 'encryptedSource' | 'annotations'> {
  readonly plain: Buffer
  readonly validUntilMs: number
}

type Source = { readonly plain: Buffer } | { readonly failure: string }

/**
 * Upstream's `kms` provider, version 2. The service encrypts one seed per key of its own; each value is encrypted with a key derived from that
 * seed (HKDF-SHA256, AES-256-GCM), and stored with the encrypted seed. So the service is asked once per seed and not once per value.
 */
export class KmsTransformer implements ValueTransformer {
  readonly #options: KmsOptions
  #seed: Seed | undefined
  #problem: string | undefined = 'not asked yet'
  readonly #sources = new Map<string, Source>()
  readonly #fetching = new Map<string, Promise<void>>()
  readonly #callbacks: (() => void)[] = []
  readonly #first: Promise<void>
  #timer: Timer | undefined
  #isStopped = false

  constructor(options: KmsOptions) {
    this.#options = options
    this.#first = this.#ask()
  }

  get writer(): string {
    return `${SEED}:${this.#seed?.keyId ?? ''}`
  }

  /** Resolves once the service was asked for the first time, whatever it said. */
  ready(): Promise<void> {
    return this.#first
  }

  /** What is wrong with the service; undefined if it is well. */
  problem(): string | undefined {
    return this.#problem && `kmsv2 Provider ${this.#options.name} is not healthy, error: ${this.#problem}`
  }

  /** Calls back when a service that was not well is. */
  onRecovery(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#options.service.close()
  }

  toStorage(key: string, value: Uint8Array): Uint8Array {
    const { name, clock } = this.#options
    if (!this.#seed) throw new Error(`the key management service ${name} has not encrypted a seed yet: ${this.#problem}`)
    const { plain, validUntilMs, ...seed } = this.#seed
    if (clock.monotonic() > validUntilMs) {
      throw new Error(
        `the key management service ${name} has not confirmed its key for ${SEED_VALID_MS / 60_000} minutes: ${this.#problem}`,
      )
    }
    const info = randomBytes(INFO_BYTES)
    const encryptedData = Buffer.concat([info, sealGcm(derived(plain, info), key, value)])
    return encodeEncryptedObject({ ...seed, encryptedData, sourceType: SEED })
  }

  fromStorage(key: string, stored: Uint8Array): ReadValue {
    const object = decodeEncryptedObject(stored)
    const source = this.#sources.get(idOf(object))
    if (!source) throw new Error(`failed to decrypt DEK, error: the key management service ${this.#options.name} was not asked`)
    if ('failure' in source) throw new Error(`failed to decrypt DEK, error: ${source.failure}`)
    const { encryptedData, sourceType, keyId } = object
    return { value: openWith(source.plain, sourceType === AES_GCM_KEY, key, encryptedData), writer: `${sourceType}:${keyId}` }
  }

  prepare(stored: Uint8Array): Promise<void> | undefined {
    let object: EncryptedObject
    try {
      object = decodeEncryptedObject(stored)
    } catch {
      return undefined // reading it says what is wrong
    }
    const id = idOf(object)
    const known = this.#sources.get(id)
    if (known && 'plain' in known) return undefined
    let fetching = this.#fetching.get(id)
    if (!fetching) {
      fetching = this.#fetch(id, object).finally(() => this.#fetching.delete(id))
      this.#fetching.set(id, fetching)
    }
    return fetching
  }

  async #fetch(id: string, { keyId, encryptedSource: ciphertext, annotations }: EncryptedObject): Promise<void> {
    const { service, random } = this.#options
    try {
      this.#remember(id, { plain: Buffer.from(await service.decrypt(random.uuid(), { ciphertext, keyId, annotations })) })
    } catch (error) {
      this.#remember(id, { failure: (error as Error).message })
    }
  }

  #remember(id: string, source: Source): void {
    if (this.#sources.size >= MAX_SOURCES) this.#sources.delete(this.#sources.keys().next().value!)
    this.#sources.set(id, source)
  }

  /** Asks the service how it is and, if its key is another, for a new seed; and again after a while. */
  async #ask(): Promise<void> {
    const { service, clock, log, name } = this.#options
    const before = this.#problem
    try {
      const status = await service.status()
      const wrong = wrongStatus(status)
      if (wrong) throw new Error(wrong)
      await this.#renew(status.keyId)
      this.#problem = undefined
    } catch (error) {
      this.#problem = (error as Error).message
      if (before !== this.#problem) log.error('a key management service is not well', { provider: name, error: this.#problem })
    }
    if (this.#isStopped) return
    this.#timer = clock.after(this.#problem ? ASK_AGAIN_MS : ASK_EVERY_MS, () => void this.#ask())
    if (before && !this.#problem) for (const callback of this.#callbacks) callback()
  }

  async #renew(keyId: string): Promise<void> {
    const { service, clock, random } = this.#options
    const validUntilMs = clock.monotonic() + SEED_VALID_MS
    if (this.#seed?.keyId === keyId) {
      this.#seed = { ...this.#seed, validUntilMs }
      return
    }
    const plain = randomBytes(SEED_BYTES)
    const { ciphertext: encryptedSource, keyId: usedKeyId, annotations } = await service.encrypt(random.uuid(), plain)
    const seed = { keyId: usedKeyId, encryptedSource, annotations }
    checkSource(seed)
    if (usedKeyId !== keyId)
      throw new Error(`the service encrypted with key ${JSON.stringify(usedKeyId)} while its status says ${JSON.stringify(keyId)}`)
    this.#seed = { ...seed, plain, validUntilMs }
    this.#remember(idOf({ ...seed, encryptedData: plain, sourceType: SEED }), { plain })
  }
}

function wrongStatus({ healthz, version, keyId }: KmsStatus): string | undefined {
  const wrong = [
    ...(healthz === 'ok' ? [] : [`got unexpected healthz status: ${healthz}`]),
    ...(version === 'v2' ? [] : [`expected KMSv2 API version v2, got ${version}`]),
    ...(keyId === '' ? ['expected KMSv2 KeyID to be set, got empty'] : []),
  ]
  return wrong.length > 1 ? `[${wrong.join(', ')}]` : wrong[0]
}

/** Tells sources apart, by all that the service is given to decrypt them. */
function idOf({ keyId, encryptedSource, annotations, sourceType }: EncryptedObject): string {
  const hash = createHash('sha256')
  const add = (part: Uint8Array | string) => {
    const bytes = Buffer.from(part)
    hash.update(`${bytes.length}:`).update(bytes)
  }
  add(String(sourceType))
  add(keyId)
  add(encryptedSource)
  for (const [name, value] of [...annotations].sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(name)
    add(value)
  }
  return hash.digest('base64')
}

function openWith(source: Buffer, isKey: boolean, key: string, data: Uint8Array): Buffer {
  if (isKey) return openGcm(source, key, data)
  if (data.length < INFO_BYTES) throw new Error(TOO_SHORT)
  return openGcm(derived(source, data.subarray(0, INFO_BYTES)), key, data.subarray(INFO_BYTES))
}

/** HKDF-Expand (RFC 5869) with SHA-256, one block: the seed is random, so it needs no extracting. */
function derived(seed: Buffer, info: Uint8Array): Buffer {
  return createHmac('sha256', seed).update(info).update(Uint8Array.of(1)).digest()
}
