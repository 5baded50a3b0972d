import {
  type ChannelOptions,
  type Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  connectivityState,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import type { Clock } from '#base/time/clock.ts'
import { UnavailableError } from '../store-errors.ts'
import { memberSecurity } from './etcd-credentials.ts'
import { type EtcdHeader, type EtcdStatus, etcdDefinition } from './etcd-messages.ts'
import { type Loss, WaitingCalls } from './waiting-calls.ts'

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
/** In which a member says something of itself, for which it needs no other. */
const STATUS_MS = 1000
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
  readonly #waiting: WaitingCalls
  /** The open streams, and whom each is with. */
  readonly #streams = new Map<Ended, number>()
  #current = 0
  /** The member that has answered since it was turned to. */
  #proven: number | undefined
  #finding: Promise<number> | undefined

  constructor({ endpoints, tls }: EtcdAddress, clock: Clock) {
    if (endpoints.length === 0) throw new Error('no etcd endpoint was given: name at least one, such as https://127.0.0.1:2379')
    this.#clock = clock
    this.#endpoints = endpoints
    this.#members = endpoints.map(endpoint => connectMember(endpoint, tls))
    this.#waiting = new WaitingCalls(clock, async member => {
      const { header, leader } = await this.#status(member)
      return { term: header.raftTerm, leader }
    })
  }

  /** Shows another certificate from now on. */
  useCertificate(tls: NonNullable<EtcdAddress['tls']>): void {
    this.#former.push(...this.#members)
    this.#members = this.#endpoints.map(endpoint => connectMember(endpoint, tls))
  }

  /**
   * Calls a method of the member in use. Rejects with gRPC's error, LostCallError if the call was lost with the leader or the member, or
   * UnavailableError if no member can be reached.
   */
  async call<Response>(service: Service, method: string, request: object, timeoutMs = CALL_MS): Promise<Response> {
    const member = this.#isReady(this.#current) ? this.#current : await this.#reachable()
    let waiting: Disposable | undefined
    try {
      const response = await new Promise<Response>((resolve, reject) => {
        const call = this.#unary<Response>(member, service, method, request, timeoutMs, (error, response) =>
          error ? reject(error) : resolve(response),
        )
        waiting = this.#waiting.begin(member, loss => {
          reject(this.#lost(member, loss))
          call.cancel()
        })
      })
      const { header } = response as { readonly header?: EtcdHeader | null }
      if (header) this.#waiting.sawTerm(header.raftTerm)
      return response
    } catch (error) {
      const { code, details } = error as ServiceError
      if (code === status.UNAVAILABLE && details.includes('leader changed')) throw new LostCallError(LEAD_CHANGED)
      if (code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED) this.#leave(member)
      throw error
    } finally {
      waiting?.[Symbol.dispose]()
    }
  }

  /** Opens a stream to the member in use, which ends with an error when that member has no leader, or is found to say nothing any more. */
  async stream<Request, Response>(service: Service, method: string): Promise<ClientDuplexStream<Request, Response>> {
    const member = await this.#reachable()
    const client = this.#members[member]![service] as unknown as Record<string, StreamMethod<Request, Response>>
    const metadata = new Metadata()
    metadata.set('hasleader', 'true')
    const stream = client[method]!.call(client, metadata)
    this.#streams.set(stream, member)
    stream.on('error', (error: Partial<ServiceError>) => {
      if (error.code !== status.CANCELLED && !(error instanceof LostCallError)) this.#leave(member)
    })
    for (const last of ['error', 'end', 'close']) stream.on(last, () => void this.#streams.delete(stream))
    return stream
  }

  /** Something is waited for on a stream, until what this answers is disposed. The stream ends with LostCallError if it will hardly come. */
  expecting(stream: Ended): Disposable {
    const member = this.#streams.get(stream)
    if (member === undefined) return { [Symbol.dispose]: () => {} }
    return this.#waiting.begin(member, loss => endStream(stream, this.#lost(member, loss)))
  }

  close(): void {
    this.#waiting.close()
    for (const member of [...this.#members, ...this.#former]) for (const client of Object.values(member)) client.close()
  }

  /** The member in use, or the next one that can be reached. */
  #reachable(): Promise<number> {
    this.#finding ??= this.#find().finally(() => {
      this.#finding = undefined
    })
    return this.#finding
  }

  async #find(): Promise<number> {
    let cause: unknown
    for (let tried = 0; tried < this.#members.length; tried++) {
      const member = this.#current
      try {
        await this.#ready(member)
        // A connection to a machine that is cut off stands for a while: who is turned to has to say something first.
        if (this.#proven !== member) this.#waiting.sawTerm((await this.#status(member)).header.raftTerm)
        this.#proven = member
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

  #isReady(member: number): boolean {
    return this.#proven === member && this.#members[member]!.KV.getChannel().getConnectivityState(false) === connectivityState.READY
  }

  #ready(member: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#members[member]!.KV.waitForReady(this.#clock.now() + CONNECT_MS, error => (error ? reject(error) : resolve()))
    })
  }

  #status(member: number): Promise<EtcdStatus> {
    return new Promise((resolve, reject) => {
      this.#unary<EtcdStatus>(member, 'Maintenance', 'status', {}, STATUS_MS, (error, answer) => (error ? reject(error) : resolve(answer)))
    })
  }

  #unary<Response>(
    member: number,
    service: Service,
    method: string,
    request: object,
    timeoutMs: number,
    done: (error: ServiceError | null, response: Response) => void,
  ): ClientUnaryCall {
    const client = this.#members[member]![service] as unknown as Record<string, UnaryMethod<Response>>
    return client[method]!.call(client, request, { deadline: this.#clock.now() + timeoutMs }, done)
  }

  /** What became of a call to a member. Nothing is waited for any longer of one that is silent. */
  #lost(member: number, loss: Loss): LostCallError {
    if (loss === 'lead') return new LostCallError(LEAD_CHANGED)
    this.#leave(member)
    const error = new LostCallError(`the member at ${this.#endpoints[member]} says nothing any more`)
    for (const [stream, of] of this.#streams) if (of === member) endStream(stream, error)
    return error
  }

  #leave(member: number): void {
    if (this.#current !== member) return
    this.#current = (member + 1) % this.#members.length
    this.#proven = undefined
  }
}

const LEAD_CHANGED = 'its members elected another leader meanwhile'

/** A call was given up because another member leads than when it began, or its member is silent: whether it was carried out is not known. */
export class LostCallError extends Error {
  override name = 'LostCallError'
}

/** What of a stream is needed to end it. */
interface Ended {
  destroy(error: Error): unknown
  cancel(): void
}

function endStream(stream: Ended, error: LostCallError): void {
  stream.destroy(error)
  stream.cancel()
}

type UnaryMethod<Response> = (
  request: object,
  options: object,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall
type StreamMethod<Request, Response> = (metadata: Metadata) => ClientDuplexStream<Request, Response>

function connectMember(endpoint: string, tls: EtcdAddress['tls']): Record<Service, Client> {
  const { host, credentials, options } = memberSecurity(endpoint, tls)
  const services = loadPackageDefinition(etcdDefinition())['etcdserverpb'] as unknown as Record<Service, ServiceClientConstructor>
  const connect = (service: Service) => new services[service](host, credentials, { ...CHANNEL_OPTIONS, ...options })
  return { KV: connect('KV'), Watch: connect('Watch'), Lease: connect('Lease'), Maintenance: connect('Maintenance') }
}
