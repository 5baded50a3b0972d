import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2'
import { Connection, type ConnectionOptions, type Link } from '../http/connection.ts'
import type { ServerList } from './server-list.ts'

/** A connection to whichever server of a list is in use. When another one is to be used, what runs on the old one ends at once: watches go on there. */
export class BalancedLink implements Link {
  readonly #list: ServerList
  readonly #options: Omit<ConnectionOptions, 'server' | 'lost'>
  readonly #moving: Disposable
  #at: { readonly server: string; readonly connection: Connection } | undefined

  constructor(list: ServerList, options: Omit<ConnectionOptions, 'server' | 'lost'>) {
    this.#list = list
    this.#options = options
    this.#moving = list.onMove(() => this.#leave())
  }

  request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    const server = this.#list.current
    if (this.#at?.server !== server) {
      this.#leave()
      const lost = (error: Error | undefined) => this.#list.failed(server, error?.message ?? 'the connection was lost')
      this.#at = { server, connection: new Connection({ ...this.#options, server, lost }) }
    }
    return this.#at.connection.request(headers, endStream)
  }

  retire(): void {
    this.#at?.connection.retire()
  }

  close(): void {
    this.#moving[Symbol.dispose]()
    this.#leave()
  }

  #leave(): void {
    this.#at?.connection.close()
    this.#at = undefined
  }
}
