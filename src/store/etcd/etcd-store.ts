import { type ClientDuplexStream, type ServiceError, status } from '@grpc/grpc-js'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import { checkRange, checkTxn } from '../embedded/evaluate.ts'
import {
  everyKey,
  type Lease,
  OPEN_END,
  type RangeOptions,
  type RangeResult,
  type Store,
  type StoreStatus,
  type Txn,
  type TxnResult,
  type Watch,
  type WatchOptions,
  type WatchSink,
} from '../store.ts'
import {
  ClosedError,
  CompactedError,
  FutureRevisionError,
  InvalidRequestError,
  LeaseNotFoundError,
  NoSpaceError,
  StoreError,
  UnavailableError,
} from '../store-errors.ts'
import { type EtcdAddress, EtcdChannel, LostCallError } from './etcd-channel.ts'
import { compareRequest, operationRequest, operationResult, rangeRequest, rangeResult } from './etcd-convert.ts'
import type { EtcdLease, EtcdRange, EtcdStatus, EtcdTxn } from './etcd-messages.ts'
import { EtcdWatch } from './etcd-watch.ts'

export interface EtcdStoreOptions extends EtcdAddress {
  readonly clock: Clock
  readonly random: Random
}

/**
 * The store in an etcd cluster (3.4 or newer), for more than one API server. Reads are linearizable. Lease numbers that others granted may
 * be too big for a number and are then rounded; ours are not.
 */
export class EtcdStore implements Store {
  readonly #channel: EtcdChannel
  readonly #clock: Clock
  readonly #random: Random
  readonly #watches = new Set<EtcdWatch>()
  #revision = 1
  #compactRevision = 0
  #closed = false

  constructor({ clock, random, ...address }: EtcdStoreOptions) {
    this.#clock = clock
    this.#random = random
    this.#channel = new EtcdChannel(address, clock)
  }

  /** Shows another certificate to the members from now on: calls and watches that are under way end as they began. */
  useCertificate(tls: NonNullable<EtcdAddress['tls']>): void {
    this.#channel.useCertificate(tls)
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    checkRange(options)
    const answer = await this.#call<EtcdRange>('KV', 'range', rangeRequest(options), { revision: options.revision ?? 0 })
    return this.#seen(rangeResult(answer))
  }

  async txn(txn: Txn): Promise<TxnResult> {
    checkTxn(txn)
    const { compare = [], success, failure = [] } = txn
    const request = {
      compare: compare.map(compareRequest),
      success: success.map(operationRequest),
      failure: failure.map(operationRequest),
    }
    const operations = [...success, ...failure]
    const writes = operations.some(operation => operation.type !== 'range')
    const lease = operations.find(operation => operation.type === 'put' && operation.lease)
    const { header, succeeded, responses } = await this.#call<EtcdTxn>('KV', 'txn', request, {
      writes,
      lease: lease?.type === 'put' ? (lease.lease ?? 0) : 0,
      revision: operations.reduce((least, each) => (each.type === 'range' && each.revision ? each.revision : least), 0),
    })
    const ran = succeeded ? success : failure
    const results = responses.map((response, index) => operationResult(ran[index]!, response, header.revision))
    return this.#seen({ succeeded, revision: header.revision, results })
  }

  watch(options: WatchOptions, sink: WatchSink): Watch {
    if (this.#closed) throw new ClosedError()
    checkRange(options)
    const currentRevision = async () => (await this.range({ key: OPEN_END })).revision
    const onEnd = (watch: EtcdWatch) => void this.#watches.delete(watch)
    const watch = new EtcdWatch({ channel: this.#channel, clock: this.#clock, currentRevision, onEnd }, options, sink)
    this.#watches.add(watch)
    return watch
  }

  async compact(revision: number): Promise<void> {
    try {
      await this.#call('KV', 'compact', { revision }, { revision })
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error
    }
    this.#compactRevision = Math.max(this.#compactRevision, revision)
  }

  async grantLease(ttlSeconds: number): Promise<Lease> {
    if (!(ttlSeconds > 0)) throw new InvalidRequestError(`a lease cannot live ${ttlSeconds} seconds`)
    const id = 1 + this.#random.below(Number.MAX_SAFE_INTEGER - 1)
    const { ID, TTL } = await this.#call<EtcdLease>('Lease', 'leaseGrant', { TTL: Math.ceil(ttlSeconds), ID: id }, { writes: true })
    return { id: ID, ttlSeconds: TTL }
  }

  async keepLeaseAlive(id: number): Promise<Lease> {
    if (this.#closed) throw new ClosedError()
    let stream: ClientDuplexStream<object, EtcdLease> | undefined
    let expecting: Disposable | undefined
    try {
      const opened = await this.#channel.stream<object, EtcdLease>('Lease', 'leaseKeepAlive')
      stream = opened
      expecting = this.#channel.expecting(opened)
      const { TTL } = await new Promise<EtcdLease>((resolve, reject) => {
        opened.once('data', resolve)
        opened.once('end', () => reject(new UnavailableError('etcd ended the call', { outcomeUnknown: true })))
        opened.once('error', reject)
        opened.write({ ID: id })
      })
      if (TTL <= 0) throw new LeaseNotFoundError(id)
      return { id, ttlSeconds: TTL }
    } catch (error) {
      throw this.#explain(error, { lease: id, writes: true })
    } finally {
      expecting?.[Symbol.dispose]()
      stream?.cancel()
    }
  }

  async revokeLease(id: number): Promise<void> {
    await this.#call('Lease', 'leaseRevoke', { ID: id }, { lease: id, writes: true })
  }

  /** What is wrong with it; rejects if no majority answers. Does not count keys, which etcd does one by one: servers are asked this all the time. */
  async problems(): Promise<readonly string[]> {
    const { errors } = await this.#call<EtcdStatus>('Maintenance', 'status', {})
    await this.range({ key: everyKey.key, countOnly: true })
    return errors
  }

  async status(): Promise<StoreStatus> {
    const { header, dbSize, dbSizeInUse, errors } = await this.#call<EtcdStatus>('Maintenance', 'status', {})
    const { count } = await this.range({ ...everyKey, countOnly: true })
    return {
      engine: 'etcd',
      revision: header.revision,
      compactRevision: await this.#compactedUpTo(header.revision),
      keys: count,
      sizeBytes: dbSize,
      sizeInUseBytes: dbSizeInUse,
      problems: errors,
      corruptKeys: [],
    }
  }

  /** etcd does not say how far it is compacted, which others do, too; it says of each revision whether it is kept. */
  async #compactedUpTo(newest: number): Promise<number> {
    const isKept = async (revision: number) => {
      try {
        await this.range({ key: everyKey.key, revision, countOnly: true })
        return true
      } catch (error) {
        if (error instanceof CompactedError) return false
        throw error
      }
    }
    let [gone, kept] = [this.#compactRevision - 1, newest]
    if (await isKept(Math.max(1, this.#compactRevision))) return this.#compactRevision
    while (kept - gone > 1) {
      const middle = Math.floor((gone + kept) / 2)
      if (await isKept(Math.max(1, middle))) kept = middle
      else gone = middle
    }
    this.#compactRevision = Math.max(this.#compactRevision, kept)
    return this.#compactRevision
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const watch of this.#watches) watch.end(new ClosedError())
    this.#channel.close()
  }

  #seen<Result extends { revision: number }>(result: Result): Result {
    this.#revision = Math.max(this.#revision, result.revision)
    return result
  }

  async #call<Response>(service: 'KV' | 'Lease' | 'Maintenance', method: string, request: object, about: About = {}): Promise<Response> {
    if (this.#closed) throw new ClosedError()
    for (let asked = 1; ; asked++) {
      try {
        return await this.#channel.call<Response>(service, method, request)
      } catch (error) {
        // What only reads may be asked again: the member may be silent, and the election under way.
        if (!(error instanceof LostCallError) || about.writes || asked === READ_ATTEMPTS) throw this.#explain(error, about)
      }
    }
  }

  #explain(error: unknown, { revision = 0, lease = 0, writes = false }: About): Error {
    if (error instanceof StoreError) return error
    if (this.#closed) return new ClosedError()
    if (error instanceof LostCallError)
      return new UnavailableError(`etcd did not answer: ${error.message}`, { outcomeUnknown: writes, cause: error })
    const { code, details } = error as ServiceError
    if (code === status.OUT_OF_RANGE && details.includes('compacted'))
      return new CompactedError(revision, Math.max(this.#compactRevision, revision + 1))
    if (code === status.OUT_OF_RANGE) return new FutureRevisionError(revision, this.#revision)
    if (code === status.NOT_FOUND && details.includes('lease')) return new LeaseNotFoundError(lease)
    if (code === status.INVALID_ARGUMENT) return new InvalidRequestError(`etcd refused the request: ${details}`, { cause: error })
    if (code === status.RESOURCE_EXHAUSTED && details.includes('space'))
      return new NoSpaceError('etcd (compact, defragment and disarm its alarm)', error)
    return new UnavailableError(`etcd did not answer as it should: ${details}`, { outcomeUnknown: writes, cause: error })
  }
}

/** How often what only reads is asked where it is lost with a member or the leader. */
const READ_ATTEMPTS = 3

/** What a call was about, to explain its failure. */
interface About {
  readonly revision?: number
  readonly lease?: number
  readonly writes?: boolean
}
