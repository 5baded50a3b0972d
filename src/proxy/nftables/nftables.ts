import type { Logger } from '#base/log/logger.ts'
import type { Family } from '../addresses.ts'
import type { Run } from '../network.ts'
import type { Fragment } from './fragment.ts'
import { RuleTables } from './rule-tables.ts'
import type { TableFacts } from './skeleton.ts'

export interface NftablesOptions {
  /** The name of the tables; each proxy on a network has its own. */
  readonly table: string
  readonly facts: TableFacts
  /** Runs `nft` in the network that is to be served. */
  readonly run: Run
  readonly log: Logger
}

/**
 * The proxy's tables in the kernel. What they hold is remembered here and never read back; each {@link flush} is one transaction with
 * only what differs. The first one, and the one after the kernel refused (someone else changed or removed the tables), replaces everything.
 */
export class Nftables {
  readonly #options: NftablesOptions
  readonly #tables: RuleTables
  #known = false

  constructor(options: NftablesOptions) {
    this.#options = options
    this.#tables = new RuleTables(options.table, options.facts)
  }

  /** Sets what `owner` wants from the next {@link flush} on. */
  put(owner: string, fragment: Fragment | undefined): void {
    this.#tables.put(owner, fragment)
  }

  /** Forgets what the kernel is known to hold: the next {@link flush} replaces everything. */
  distrust(): void {
    this.#known = false
  }

  /** Brings the kernel to what was put. Returns which kind of transaction that took. Rejects when nft refuses the whole too. */
  async flush(): Promise<'nothing' | 'difference' | 'everything'> {
    if (this.#known) {
      const commands = this.#tables.takeDifference()
      if (commands === undefined) return 'nothing'
      try {
        await this.#nft(commands)
        return 'difference'
      } catch (error) {
        this.#options.log.warn('the kernel refused a change of the proxy tables, so they are written anew', {
          table: this.#options.table,
          error,
        })
        this.#known = false
      }
    }
    await this.#nft(this.#tables.takeAll(await this.#rememberedClients()))
    this.#known = true
    return 'everything'
  }

  /** Removes the tables from the kernel. */
  async remove(): Promise<void> {
    this.#known = false
    await this.#nft(this.#tables.removal())
  }

  #nft(commands: string): Promise<unknown> {
    return this.#options.run('nft', ['-f', '-'], { input: commands, timeoutMs: 30_000 })
  }

  /** Who was sent where by session affinity before this process began; asked only if a Service wants it. */
  async #rememberedClients(): Promise<Record<Family, Map<string, string[]>>> {
    const clients: Record<Family, Map<string, string[]>> = { ip: new Map(), ip6: new Map() }
    if (!this.#tables.hasAffinity()) return clients
    for (const family of this.#options.facts.families) {
      const listing = await this.#options.run('nft', ['-j', 'list', 'sets', family], { allowCodes: [1] })
      if (listing.code === 0) clients[family] = clientsIn(listing.stdout, this.#options.table)
    }
    return clients
  }
}

/** The entries of the `clients/` sets in the output of `nft -j list sets`, as elements to add again. */
export function clientsIn(listing: string, table: string): Map<string, string[]> {
  const clients = new Map<string, string[]>()
  const { nftables } = JSON.parse(listing) as { nftables: readonly { readonly set?: ListedSet }[] }
  for (const { set } of nftables) {
    if (set?.table !== table || !set.name.startsWith('clients/')) continue
    const elements = (set.elem ?? []).flatMap(item => {
      const elem = typeof item === 'object' ? item.elem : undefined
      return elem?.timeout && elem.expires ? [`${elem.val} timeout ${elem.timeout}s expires ${elem.expires}s`] : []
    })
    if (elements.length > 0) clients.set(set.name, elements)
  }
  return clients
}

interface ListedSet {
  readonly table: string
  readonly name: string
  readonly elem?: readonly (string | { readonly elem?: { readonly val: string; readonly timeout?: number; readonly expires?: number } })[]
}
