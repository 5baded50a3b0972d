import {
  type ChannelOptions,
  type Client,
  type ClientDuplexStream,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import type { Clock } from '#base/time/clock.ts'
import { UnavailableError } from '../store-errors.ts'
import { memberSecurity } from './etcd-credentials.ts'
import { etcdDefinition } from './etcd-messages.ts'

/** How etcd is reached. */
export interface EtcdAddress {
  /** `https://host:port` (or `http://` without certificates) of each member. */
  readonly endpoints: readonly string[]
  /** PEM: who signed the members' certificates, and the certificate and key this client shows. */
  readonly tls?: { readonly authority: string; readonly certificate: string; readonly privateKey: string }
}

type Service = 'KV' | 'Watch' | 'Lease' | 'Maintenance'

const CONNECT_MS = 2000
const CALL_MS = 10_000
const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2000,
}

/**
 * Calls to the members of an etcd cluster. One member is used as long as it answers; then the next one that can be reached. A call is never
 * sent twice: whether a write is repeated is for the caller to decide, who can read what came of it.
 */
export class EtcdChannel {
  readonly #endpoints: readonly string[]
  readonly #clock: Clock
  #members: readonly Record<Service, Client>[]
  /** With former certificates: what runs on them runs on. */
  readonly #former: Record<Service, Client>[] = []
  #current = 0

  constructor({ endpoints, tls }: EtcdAddress, clock: Clock) {
    if (endpoints.length === 0) throw new Error('no etcd endpoint was given: name at least one, such as https://127.0.0.1:2379')
    this.#clock = clock
    this.#endpoints = endpoints
    this.#members = endpoints.map(endpoint => connectMember(endpoint, tls))
  }

  /** Shows another certificate from now on. */
  useCertificate(tls: NonNullable<EtcdAddress['tls']>): void {
    this.#former.push(...this.#members)
    this.#members = this.#endpoints.map(endpoint => connectMember(endpoint, tls))
  }

  /** Calls a method of the member in use. Rejects with gRPC's error, or UnavailableError if no member can be reached. */
  async call<Response>(service: Service, method: string, request: object, timeoutMs = CALL_MS): Promise<Response> {
    const member = await this.#reachable()
    const client = this.#members[member]![service] as unknown as Record<string, UnaryMethod>
    try {
      return await new Promise<Response>((resolve, reject) => {
        client[method]!.call(client, request, { deadline: this.#clock.now() + timeoutMs }, (error, response) =>
          error ? reject(error) : resolve(response as Response),
        )
      })
    } catch (error) {
      const { code } = error as ServiceError
      if (code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED) this.#leave(member)
      throw error
    }
  }

  /** Opens a stream to the member in use, which ends with an error when that member has no leader. */
  async stream<Request, Response>(service: Service, method: string): Promise<ClientDuplexStream<Request, Response>> {
    const member = await this.#reachable()
    const client = this.#members[member]![service] as unknown as Record<string, StreamMethod<Request, Response>>
    const metadata = new Metadata()
    metadata.set('hasleader', 'true')
    const stream = client[method]!.call(client, metadata)
    stream.on('error', (error: ServiceError) => {
      if (error.code !== status.CANCELLED) this.#leave(member)
    })
    return stream
  }

  close(): void {
    for (const member of [...this.#members, ...this.#former]) for (const client of Object.values(member)) client.close()
  }

  /** The member in use, or the next one that can be reached. */
  async #reachable(): Promise<number> {
    let cause: unknown
    for (let tried = 0; tried < this.#members.length; tried++) {
      const member = this.#current
      try {
        await this.#ready(member)
        return member
      } catch (error) {
        cause = error
        this.#leave(member)
      }
    }
    throw new UnavailableError('no etcd member can be reached: check that etcd runs and that the endpoints and certificates are right', {
      outcomeUnknown: false,
      cause,
    })
  }

  #ready(member: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#members[member]!.KV.waitForReady(this.#clock.now() + CONNECT_MS, error => (error ? reject(error) : resolve()))
    })
  }

  #leave(member: number): void {
    if (this.#current === member) this.#current = (member + 1) % this.#members.length
  }
}

type UnaryMethod = (request: object, options: object, callback: (error: ServiceError | null, response: unknown) => void) => void
type StreamMethod<Request, Response> = (metadata: Metadata) => ClientDuplexStream<Request, Response>

function connectMember(endpoint: string, tls: EtcdAddress['tls']): Record<Service, Client> {
  const { host, credentials, options } = memberSecurity(endpoint, tls)
  const services = loadPackageDefinition(etcdDefinition())['etcdserverpb'] as unknown as Record<Service, ServiceClientConstructor>
  const connect = (service: Service) => new services[service](host, credentials, { ...CHANNEL_OPTIONS, ...options })
  return { KV: connect('KV'), Watch: connect('Watch'), Lease: connect('Lease'), Maintenance: connect('Maintenance') }
}
