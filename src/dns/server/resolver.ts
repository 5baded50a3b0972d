import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import { type ClusterView, lookUp, startOfAuthority, type Zone } from '../records.ts'
import { encodeQuery } from '../wire/query.ts'
import type { Rcode, ResourceRecord } from '../wire/record.ts'
import { TYPE_CODES } from '../wire/record.ts'
import { type Request, readRequest } from '../wire/request.ts'
import { encodeRefusal, encodeResponse, type Reply, UDP_SIZE_LIMIT } from '../wire/response.ts'
import { AnswerCache, cacheKey, readdress } from './cache.ts'
import type { Forwarded, Forwarder, Transport } from './forwarder.ts'

export interface ResolverOptions {
  readonly zone: Zone
  readonly view: ClusterView
  /** Whether the view is complete; until then no one is told that a name is not there. */
  readonly ready: () => boolean
  readonly forwarder: Forwarder
  readonly clock: Clock
  readonly random: Random
  readonly metrics?: ResolverMetrics | undefined
}

export interface ResolverMetrics {
  /** A query was answered, out of `source`. */
  answered(type: string, transport: Transport, source: AnswerSource, rcode: number, durationMs: number): void
}

export type AnswerSource = 'cluster' | 'cache' | 'upstream' | 'refusal'

/** How many CNAMEs are followed within the cluster. */
const FOLLOW_LIMIT = 8

/** Answers queries: about the cluster from its view, about everything else from the cache or by asking others. */
export class Resolver {
  readonly #options: ResolverOptions
  readonly #cache: AnswerCache
  readonly #asked = new Map<string, Promise<Forwarded | undefined>>()
  readonly #probes = new Set<string>()

  constructor(options: ResolverOptions) {
    this.#options = options
    this.#cache = new AnswerCache(options.clock)
  }

  /** The answer to a message; undefined when it deserves none. What the cluster knows is answered without waiting. */
  handle(bytes: Uint8Array, transport: Transport): Uint8Array | undefined | Promise<Uint8Array> {
    const request = readRequest(bytes)
    if (!request) return undefined
    if ('rcode' in request) return encodeRefusal(request)
    const start = this.#options.clock.monotonic()
    const limit = transport === 'tcp' ? 65_535 : Math.min(Math.max(512, request.edns?.udpSize ?? 512), UDP_SIZE_LIMIT)
    const done = (answer: Uint8Array, source: AnswerSource) => {
      this.#options.metrics?.answered(request.type, transport, source, answer[3]! & 15, this.#options.clock.monotonic() - start)
      return answer
    }
    const refusal = refusalOf(request) ?? (this.#isUnknownYet(request.name) ? 'SERVFAIL' : undefined)
    if (refusal) return done(encodeResponse(request, this.#reply(refusal, false), limit), 'refusal')
    if (this.#probes.delete(request.name)) return done(encodeResponse(request, this.#reply('REFUSED', false), limit), 'refusal')
    const { zone, view } = this.#options
    const answer = lookUp(zone, view, request.name, request.type)
    if (!answer) return this.#elsewhere(request, bytes, transport, limit, done)
    if (answer.follow !== undefined && request.type !== 'CNAME') {
      return this.#follow(request, answer.answers, answer.follow, limit).then(followed => done(followed, 'cluster'))
    }
    const reply = { ...this.#reply(answer.rcode, true), answers: this.#rotated(answer.answers), additionals: answer.additionals }
    return done(
      encodeResponse(request, answer.answers.length > 0 ? reply : { ...reply, authorities: [this.#authority()] }, limit),
      'cluster',
    )
  }

  /** Finds resolvers that would ask us again; done once, when we listen. */
  async checkForLoops(): Promise<void> {
    const name = `${this.#options.random.suffix(16)}.${this.#options.random.suffix(16)}`
    this.#probes.add(name)
    await this.#options.forwarder.checkForLoops(encodeQuery(0, name, TYPE_CODES.HINFO), () => {
      const returned = !this.#probes.has(name)
      this.#probes.add(name)
      return returned
    })
    this.#probes.delete(name)
  }

  #elsewhere(
    request: Request,
    bytes: Uint8Array,
    transport: Transport,
    limit: number,
    done: (answer: Uint8Array, source: AnswerSource) => Uint8Array,
  ): Uint8Array | Promise<Uint8Array> {
    const cached = this.#cache.get(request)
    if (cached) return done(this.#fitting(request, cached, limit), 'cache')
    if (!this.#options.forwarder.available) return done(encodeResponse(request, this.#reply('REFUSED', false), limit), 'refusal')
    return this.#ask(request, bytes, transport).then(forwarded => {
      if (!forwarded) return done(encodeResponse(request, this.#reply('SERVFAIL', false), limit), 'upstream')
      return done(this.#fitting(request, readdress(forwarded.bytes, request), limit), 'upstream')
    })
  }

  /** Asks others; clients who ask the same at the same time share one query. */
  #ask(request: Request, bytes: Uint8Array, transport: Transport): Promise<Forwarded | undefined> {
    const key = `${transport} ${request.edns?.udpSize} ${cacheKey(request)}`
    let asked = this.#asked.get(key)
    if (!asked) {
      asked = this.#options.forwarder
        .forward(bytes, transport)
        .then(forwarded => {
          if (forwarded) this.#cache.put(request, forwarded.bytes, forwarded.answer)
          return forwarded
        })
        .finally(() => this.#asked.delete(key))
      this.#asked.set(key, asked)
    }
    return asked
  }

  /** Adds what the target of an ExternalName Service resolves to, in the cluster or elsewhere. */
  async #follow(request: Request, start: readonly ResourceRecord[], first: string, limit: number): Promise<Uint8Array> {
    const { zone, view } = this.#options
    const answers = [...start]
    let target: string | undefined = first
    let rcode: Rcode = 'NOERROR'
    for (let step = 0; target !== undefined && step < FOLLOW_LIMIT; step++) {
      const answer = lookUp(zone, view, target, request.type)
      if (!answer) {
        answers.push(...(await this.#recordsElsewhere(request, target)))
        break
      }
      answers.push(...answer.answers)
      rcode = answer.rcode
      target = answer.follow
    }
    return encodeResponse(request, { ...this.#reply(rcode, true), answers }, limit)
  }

  async #recordsElsewhere(request: Request, name: string): Promise<readonly ResourceRecord[]> {
    const question = encodeQuery(0, name, typeCode(request))
    const inner = readRequest(question)
    if (!inner || 'rcode' in inner || !this.#options.forwarder.available) return []
    return (await this.#ask(inner, question, 'udp'))?.answer.records ?? []
  }

  /** An answer of others that is too large for this client tells it to come back over TCP. */
  #fitting(request: Request, answer: Uint8Array, limit: number): Uint8Array {
    if (answer.length <= Math.max(limit, request.edns?.udpSize ?? 512)) return answer
    const short = encodeResponse(request, this.#reply('NOERROR', false), limit)
    short[2]! |= 2
    return short
  }

  #isUnknownYet(name: string): boolean {
    if (this.#options.ready()) return false
    const { domain } = this.#options.zone
    return name === domain || name.endsWith(`.${domain}`) || name.endsWith('.in-addr.arpa') || name.endsWith('.ip6.arpa')
  }

  #reply(rcode: Rcode, authoritative: boolean): Reply {
    return { rcode, authoritative, recursionAvailable: this.#options.forwarder.available }
  }

  #authority(): ResourceRecord {
    return startOfAuthority(this.#options.zone, Math.floor(this.#options.clock.now() / 1_000) % 2 ** 32)
  }

  /** Clients take the first address: each gets another one first. */
  #rotated(answers: readonly ResourceRecord[]): readonly ResourceRecord[] {
    if (answers.length < 2) return answers
    const start = this.#options.random.below(answers.length)
    return [...answers.slice(start), ...answers.slice(0, start)]
  }
}

const CLASS_IN = 1
const ZONE_TRANSFERS = new Set(['TYPE251', 'TYPE252'])

function refusalOf(request: Request): Rcode | undefined {
  if (request.edns && request.edns.version !== 0) return 'BADVERS'
  return request.class !== CLASS_IN || ZONE_TRANSFERS.has(request.type) ? 'REFUSED' : undefined
}

function typeCode({ question }: Request): number {
  return (question[question.length - 4]! << 8) | question[question.length - 3]!
}
