import { fileURLToPath } from 'node:url'
import {
  type ChannelOptions,
  Client,
  type ClientReadableStream,
  credentials,
  type GrpcObject,
  loadPackageDefinition,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { RuntimeError, type RuntimeErrorCode } from '../runtime.ts'

/** A connection to a container runtime's socket: calls by the method's name, with messages as plain objects in camel case. */
export interface CriChannel {
  /** Calls a method of RuntimeService or ImageService; rejects with a {@link RuntimeError}. */
  call<Response>(service: 'RuntimeService' | 'ImageService', method: string, request: object, options?: CallOptions): Promise<Response>
  /** Subscribes to containerd's events; `undefined` where the runtime has no such service is told by `closed`. */
  subscribe(
    filters: readonly string[],
    onEvent: (topic: string, body: Buffer) => void,
    onClosed: (error: Error | undefined) => void,
  ): Disposable
  close(): void
}

export interface CallOptions {
  /** How long to wait; 2 minutes unless said otherwise, as upstream's kubelet. */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 120_000

const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 2000,
}

/** Connects (lazily, and again after every break) to `address`, such as `unix:///run/containerd/containerd.sock`. */
export function openCriChannel(address: string, now: () => number): CriChannel {
  const services = definitions()
  const insecure = credentials.createInsecure()
  const clients = {
    RuntimeService: new services.RuntimeService(address, insecure, CHANNEL_OPTIONS),
    ImageService: new services.ImageService(address, insecure, CHANNEL_OPTIONS),
  }
  const events = new services.Events(address, insecure, CHANNEL_OPTIONS)
  return {
    call<Response>(service: keyof typeof clients, method: string, request: object, options: CallOptions = {}) {
      const client = clients[service] as unknown as Record<string, UnaryMethod>
      const deadline = now() + (options.timeoutMs ?? DEFAULT_TIMEOUT_MS)
      return new Promise<Response>((resolve, reject) => {
        client[method]!.call(client, request, { deadline }, (error, response) =>
          error ? reject(runtimeErrorOf(error, method)) : resolve(response as Response),
        )
      })
    },
    subscribe(filters, onEvent, onClosed) {
      const subscribe = (events as unknown as Record<string, StreamMethod>)['subscribe']!
      const stream = subscribe.call(events, { filters })
      let ended = false
      const end = (error: Error | undefined) => {
        if (ended) return
        ended = true
        onClosed(error)
      }
      stream.on('data', (envelope: { topic: string; event: { value: Buffer } | null }) => {
        if (!ended) onEvent(envelope.topic, envelope.event?.value ?? Buffer.alloc(0))
      })
      stream.on('error', end)
      stream.on('end', () => end(undefined))
      return {
        [Symbol.dispose]() {
          ended = true
          stream.cancel()
        },
      }
    },
    close() {
      for (const client of [clients.RuntimeService, clients.ImageService, events]) Client.prototype.close.call(client)
    },
  }
}

type UnaryMethod = (request: object, options: { deadline: number }, done: (error: ServiceError | null, response: unknown) => void) => void
type StreamMethod = (request: object) => ClientReadableStream<{ topic: string; event: { value: Buffer } | null }>
type Services = Record<'RuntimeService' | 'ImageService' | 'Events', ServiceClientConstructor>

let loaded: Services | undefined

function definitions(): Services {
  loaded ??= load()
  return loaded
}

function load(): Services {
  const files = ['./runtime-v1.proto', './containerd-events.proto'].map(file => fileURLToPath(new URL(file, import.meta.url)))
  const definition = loadSync(files, { keepCase: false, longs: Number, enums: String, defaults: true })
  const root = loadPackageDefinition(definition)
  const find = (path: string) => path.split('.').reduce<GrpcObject>((at, name) => at[name] as GrpcObject, root)
  const service = (path: string) => find(path) as unknown as ServiceClientConstructor
  return {
    RuntimeService: service('runtime.v1.RuntimeService'),
    ImageService: service('runtime.v1.ImageService'),
    Events: service('containerd.services.events.v1.Events'),
  }
}

const CODES: Readonly<Record<number, RuntimeErrorCode>> = {
  [status.INVALID_ARGUMENT]: 'InvalidArgument',
  [status.NOT_FOUND]: 'NotFound',
  [status.ALREADY_EXISTS]: 'AlreadyExists',
  [status.DEADLINE_EXCEEDED]: 'DeadlineExceeded',
  [status.UNIMPLEMENTED]: 'Unimplemented',
  [status.UNAVAILABLE]: 'Unavailable',
}

/** Upstream shows a runtime's error as `rpc error: code = … desc = …`; events and statuses do so too. */
function runtimeErrorOf(error: ServiceError, method: string): RuntimeError {
  const code = CODES[error.code] ?? 'Unknown'
  return new RuntimeError(code, `rpc error: code = ${code} desc = ${error.details || `${method} failed`}`, { cause: error })
}
