import { type Client, credentials, loadPackageDefinition, type ServiceClientConstructor, type ServiceError } from '@grpc/grpc-js'
import { fromJSON, type PackageDefinition } from '@grpc/proto-loader'

/** Calls of a key management service by the method's name. */
export type KmsClient = Client & Record<string, Unary>

type Unary = (request: object, options: object, callback: (error: ServiceError | null, response: unknown) => void) => void

/** Connects, lazily and again after every break, to `unix:///path` or `unix:///@name`. */
export function connectToKms(endpoint: string): KmsClient {
  const { v2 } = loadPackageDefinition(kmsDefinition()) as unknown as { v2: { KeyManagementService: ServiceClientConstructor } }
  return new v2.KeyManagementService(addressOf(endpoint), credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2000,
  }) as KmsClient
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

/** A name in Linux' abstract namespace is written with an @ in a URL. */
function addressOf(endpoint: string): string {
  const path = endpoint.replace(/^unix:(\/\/)?/, '')
  return path.startsWith('/@') ? `unix-abstract:${path.slice(2)}` : `unix:${path}`
}
