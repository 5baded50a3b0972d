import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor, type ServiceError } from '@grpc/grpc-js'
import { fromJSON, type PackageDefinition } from '@grpc/proto-loader'
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

const bytes = (id: number) => ({ id, type: 'bytes' })
const text = (id: number) => ({ id, type: 'string' })
const annotations = (id: number) => ({ id, keyType: 'string', type: 'bytes' })
const method = (name: string) => ({ requestType: `${name}Request`, responseType: `${name}Response` })

/** Upstream's protocol (k8s.io/kms/apis/v2), for those who serve it as well. */
export function kmsDefinition(): PackageDefinition {
  const nested = {
    StatusRequest: { fields: {} },
    StatusResponse: { fields: { version: text(1), healthz: text(2), keyId: text(3) } },
    DecryptRequest: { fields: { ciphertext: bytes(1), uid: text(2), keyId: text(3), annotations: annotations(4) } },
    DecryptResponse: { fields: { plaintext: bytes(1) } },
    EncryptRequest: { fields: { plaintext: bytes(1), uid: text(2) } },
    EncryptResponse: { fields: { ciphertext: bytes(1), keyId: text(2), annotations: annotations(3) } },
    KeyManagementService: { methods: { Status: method('Status'), Decrypt: method('Decrypt'), Encrypt: method('Encrypt') } },
  }
  return fromJSON({ nested: { v2: { nested } } } as unknown as Parameters<typeof fromJSON>[0], { defaults: true })
}

/** Connects to the service at `unix:///path` (or `unix:///@name`). */
export function kmsService(endpoint: string, timeoutMs: number, clock: Clock): KmsService {
  const { v2 } = loadPackageDefinition(kmsDefinition()) as unknown as { v2: { KeyManagementService: ServiceClientConstructor } }
  const client = new v2.KeyManagementService(addressOf(endpoint), credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2000,
  }) as Client & Record<string, Unary>
  const call = <Response>(name: string, request: object) =>
    new Promise<Response>((resolve, reject) => {
      client[name]!(request, { deadline: clock.now() + timeoutMs }, (error, response) =>
        error ? reject(new Error(`rpc error: ${error.details || error.message}`, { cause: error })) : resolve(response as Response),
      )
    })
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
    close: () => client.close(),
  }
}

type Unary = (request: object, options: object, callback: (error: ServiceError | null, response: unknown) => void) => void

/** A name in Linux' abstract namespace is written with an @ in a URL. */
function addressOf(endpoint: string): string {
  const path = endpoint.replace(/^unix:(\/\/)?/, '')
  return path.startsWith('/@') ? `unix-abstract:${path.slice(2)}` : `unix:${path}`
}
