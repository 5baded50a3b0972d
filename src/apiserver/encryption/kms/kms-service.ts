import type { Clock } from '#base/time/clock.ts'

/** A key management service (KMS v2): keeps the key that the keys of values are encrypted with. Every call rejects with what the service said. */
export interface KmsService {
  status(): Promise<KmsStatus>
  encrypt(
    uid: string,
    plaintext: Uint8Array,
  ): Promise<{ ciphertext: Uint8Array; keyId: string; annotations: ReadonlyMap<string, Uint8Array> }>
  decrypt(uid: string, sealed: { ciphertext: Uint8Array; keyId: string; annotations: ReadonlyMap<string, Uint8Array> }): Promise<Uint8Array>
  close(): void
}

export interface KmsStatus {
  /** `v2`. */
  readonly version: string
  /** `ok`, or what is wrong. */
  readonly healthz: string
  /** Of the key it encrypts with now. */
  readonly keyId: string
}

/** Connects to the service at `unix:///path` (or `unix:///@name`). */
export function kmsService(endpoint: string, timeoutMs: number, clock: Clock): KmsService {
  // Loaded with what speaks gRPC: most clusters have no such service.
  const connected = import('./kms-protocol.ts').then(({ connectToKms }) => connectToKms(endpoint))
  const call = async <Response>(name: string, request: object) => {
    const client = await connected
    return new Promise<Response>((resolve, reject) => {
      client[name]!(request, { deadline: clock.now() + timeoutMs }, (error, response) =>
        error ? reject(new Error(`rpc error: ${error.details || error.message}`, { cause: error })) : resolve(response as Response),
      )
    })
  }
  return {
    status: () => call<KmsStatus>('Status', {}),
    async encrypt(uid, plaintext) {
      const answer = await call<{ ciphertext: Buffer; keyId: string; annotations: Record<string, Buffer> }>('Encrypt', { uid, plaintext })
      return { ...answer, annotations: new Map(Object.entries(answer.annotations)) }
    },
    async decrypt(uid, sealed) {
      const request = { ...sealed, uid, annotations: Object.fromEntries(sealed.annotations) }
      return (await call<{ plaintext: Buffer }>('Decrypt', request)).plaintext
    },
    close: () => void connected.then(client => client.close()),
  }
}
