import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { loadPackageDefinition, Server, ServerCredentials, type ServiceClientConstructor, type sendUnaryData } from '@grpc/grpc-js'
import { kmsDefinition } from '#apiserver/encryption/kms/kms-protocol.ts'

/** A key management service of our own, on a unix socket: it keeps its keys in memory. */
export interface KmsPlugin {
  readonly endpoint: string
  /** How often each call came. */
  readonly calls: { status: number; encrypt: number; decrypt: number }
  /** Encrypts with another key from now on; those before are still decrypted. */
  rotate(): void
  /** What its status says from now on. */
  healthz: string
  /** Nobody answers any more; its keys are kept. */
  stop(): void
  start(): Promise<void>
}

export function kmsPlugin(socket: string): KmsPlugin {
  const keys = new Map<string, Buffer>()
  let current = ''
  let server: Server | undefined
  const plugin: KmsPlugin = {
    endpoint: `unix://${socket}`,
    calls: { status: 0, encrypt: 0, decrypt: 0 },
    healthz: 'ok',
    rotate() {
      current = `key-${keys.size + 1}`
      keys.set(current, randomBytes(32))
    },
    stop() {
      server?.forceShutdown()
      server = undefined
    },
    async start() {
      rmSync(socket, { force: true })
      const { v2 } = loadPackageDefinition(kmsDefinition()) as unknown as { v2: { KeyManagementService: ServiceClientConstructor } }
      server = new Server()
      server.addService(v2.KeyManagementService.service, {
        Status(_call: unknown, answer: sendUnaryData<object>) {
          plugin.calls.status++
          answer(null, { version: 'v2', healthz: plugin.healthz, keyId: current })
        },
        Encrypt({ request }: { request: { plaintext: Buffer } }, answer: sendUnaryData<object>) {
          plugin.calls.encrypt++
          const nonce = randomBytes(12)
          const cipher = createCipheriv('aes-256-gcm', keys.get(current)!, nonce)
          const ciphertext = Buffer.concat([nonce, cipher.update(request.plaintext), cipher.final(), cipher.getAuthTag()])
          answer(null, { ciphertext, keyId: current, annotations: { 'kms.typernetes.dev': Buffer.from('x') } })
        },
        Decrypt(
          { request }: { request: { ciphertext: Buffer; keyId: string; annotations: Record<string, Buffer> } },
          answer: sendUnaryData<object>,
        ) {
          plugin.calls.decrypt++
          try {
            const { ciphertext, keyId, annotations } = request
            if (annotations['kms.typernetes.dev']?.toString() !== 'x') throw new Error('the annotation is missing')
            const decipher = createDecipheriv('aes-256-gcm', keys.get(keyId)!, ciphertext.subarray(0, 12))
            decipher.setAuthTag(ciphertext.subarray(-16))
            answer(null, { plaintext: Buffer.concat([decipher.update(ciphertext.subarray(12, -16)), decipher.final()]) })
          } catch (error) {
            answer({ code: 13, details: (error as Error).message })
          }
        },
      })
      await new Promise<void>((resolve, reject) =>
        server!.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), error => (error ? reject(error) : resolve())),
      )
    },
  }
  plugin.rotate()
  return plugin
}
