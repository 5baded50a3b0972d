import type { UserInfo } from '#client/direct/api-handler.ts'
import { tooManyRequests } from '#machinery/status/failures.ts'
import type { Exchange } from './exchange.ts'

/** Counts requests under way and refuses those beyond a limit: reads and writes apart, watches not at all. */
export class Inflight {
  readonly #maxReads: number
  readonly #maxWrites: number
  #reads = 0
  #writes = 0

  /** 0 is no limit. */
  constructor(limits: { readonly maxReads: number; readonly maxWrites: number }) {
    this.#maxReads = limits.maxReads
    this.#maxWrites = limits.maxWrites
  }

  get current(): { readonly reads: number; readonly writes: number } {
    return { reads: this.#reads, writes: this.#writes }
  }

  /** Lets the request in; call the answer once it is done. */
  enter(exchange: Pick<Exchange, 'method' | 'path' | 'query'>, user: UserInfo): () => void {
    if (isLong(exchange)) return () => undefined
    const isRead = exchange.method === 'GET' || exchange.method === 'HEAD'
    const isExempt = user.groups.includes('system:masters')
    if (isRead) {
      if (this.#maxReads > 0 && this.#reads >= this.#maxReads && !isExempt) throw tooMany()
      this.#reads++
      return () => void this.#reads--
    }
    if (this.#maxWrites > 0 && this.#writes >= this.#maxWrites && !isExempt) throw tooMany()
    this.#writes++
    return () => void this.#writes--
  }
}

function isLong({ path, query }: Pick<Exchange, 'path' | 'query'>): boolean {
  return query.includes('watch=') || query.includes('follow=') || /\/(watch\/|exec$|attach$|portforward$|proxy(\/|$)|log$)/.test(path)
}

function tooMany() {
  return tooManyRequests('The apiserver is handling too many requests, please try again later.', 1)
}
