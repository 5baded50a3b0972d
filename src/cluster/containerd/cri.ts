import { Client, credentials, type ServiceError } from '@grpc/grpc-js'
import { encodeText, fieldsOf, textOf } from './wire.ts'

/** An image as the runtime knows it. */
export interface RuntimeImage {
  /** Digest of its configuration. */
  readonly id: string
  readonly tags: readonly string[]
  readonly digests: readonly string[]
  readonly sizeBytes: number
}

/**
 * The few calls of the container runtime interface that bringing a node up and down takes, over the node's own socket. The kubelet has the
 * whole interface.
 */
export interface NodeCri extends Disposable {
  /** `containerd 1.6.20`; fails until the runtime answers. */
  version(): Promise<string>
  sandboxes(): Promise<string[]>
  /** Ends every process of the pod and takes its network away. */
  stopSandbox(id: string): Promise<void>
  removeSandbox(id: string): Promise<void>
  image(reference: string): Promise<RuntimeImage | undefined>
  images(): Promise<RuntimeImage[]>
}

const RUNTIME = '/runtime.v1.RuntimeService'
const IMAGES = '/runtime.v1.ImageService'

/** Opens a connection; nothing is sent before the first call. */
export function nodeCri(socket: string): NodeCri {
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 200,
  })
  const call = (method: string, request: Buffer, deadlineMs = 30_000): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const identity = (bytes: Buffer) => bytes
      const done = (error: ServiceError | null, answer?: Buffer) => (error ? reject(error) : resolve(answer ?? Buffer.alloc(0)))
      client.makeUnaryRequest(method, identity, identity, request, { deadline: new Date(Date.now() + deadlineMs) }, done)
    })
  return {
    async version() {
      const fields = fieldsOf(await call(`${RUNTIME}/Version`, Buffer.alloc(0), 2_000))
      return `${textOf(fields, 2)} ${textOf(fields, 3)}`
    },
    async sandboxes() {
      const items = fieldsOf(await call(`${RUNTIME}/ListPodSandbox`, Buffer.alloc(0)))
      return items.flatMap(item => (item.number === 1 && item.bytes ? textOf(fieldsOf(item.bytes), 1) : []))
    },
    async stopSandbox(id) {
      await call(`${RUNTIME}/StopPodSandbox`, encodeText(1, id))
    },
    async removeSandbox(id) {
      await call(`${RUNTIME}/RemovePodSandbox`, encodeText(1, id))
    },
    async image(reference) {
      const answer = fieldsOf(await call(`${IMAGES}/ImageStatus`, encodeText(1, encodeText(1, reference))))
      const image = answer.find(field => field.number === 1)?.bytes
      return image ? readImage(image) : undefined
    },
    async images() {
      const answer = fieldsOf(await call(`${IMAGES}/ListImages`, Buffer.alloc(0)))
      return answer.flatMap(field => (field.number === 1 && field.bytes ? readImage(field.bytes) : []))
    },
    [Symbol.dispose]: () => client.close(),
  }
}

function readImage(bytes: Buffer): RuntimeImage {
  const fields = fieldsOf(bytes)
  const texts = (number: number) => fields.flatMap(field => (field.number === number && field.bytes ? field.bytes.toString('utf8') : []))
  return {
    id: textOf(fields, 1),
    tags: texts(2),
    digests: texts(3),
    sizeBytes: Number(fields.find(field => field.number === 4)?.value ?? 0n),
  }
}
