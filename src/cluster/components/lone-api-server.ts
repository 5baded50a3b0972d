import type { Registry } from 'prom-client'
import type { ApiServer } from '#apiserver/api-server.ts'
import type { Audit } from '#apiserver/audit/audit.ts'
import type { AnonymousAccess } from '#apiserver/http/identification.ts'
import type { ServeOptions } from '#apiserver/http/serve.ts'
import { type AssembledApiServer, type AssemblyOptions, assembleApiServer } from './assembled-api-server.ts'

/** An API server that runs alone, with what upstream's flags say. Texts of files, not their names. */
export interface LoneApiServerOptions extends AssemblyOptions {
  readonly address: string
  readonly port: number
  readonly advertiseAddress: string
  readonly tls: Omit<ServeOptions['tls'], 'clientCa'>
  /** The flags it was started with, for `/flagz`. */
  readonly flags?: Readonly<Record<string, string>>
  readonly anonymous: AnonymousAccess
  readonly maxReadsInflight: number
  readonly hasPriorityAndFairness?: boolean
  readonly requestTimeoutMs?: number
  /** How long a watch lasts at least when the client does not say. */
  readonly watchMs?: number
  readonly maxWritesInflight: number
  readonly goawayChance?: number
  readonly corsAllowedOrigins?: readonly string[]
  readonly publishesEndpoints: boolean
  /** Records what is asked; it is ended by who made it. */
  readonly audit?: Audit | undefined
  /** What others count, for `/metrics`. */
  readonly registry?: Registry
}

export interface LoneApiServer extends Pick<AssembledApiServer, 'useAuthorizers'> {
  readonly server: ApiServer
  readonly port: number
  stop(): Promise<void>
}

/** Starts an API server and resolves once it listens; `/readyz` says ok once the objects that every server ships are there. */
export async function startLoneApiServer(options: LoneApiServerOptions): Promise<LoneApiServer> {
  const { server, authenticator, useAuthorizers, documentsAt, shipObjects, stop } = await assembleApiServer(options)
  const hold = server.holdReadiness('the objects that every server ships are not there yet')
  const advertised = `${options.advertiseAddress}:${options.port}`
  const listening = await server.listen({
    address: options.address,
    port: options.port,
    tls: { ...options.tls, ...askedAuthorities(options) },
    flags: options.flags ?? {},
    authenticator,
    anonymous: options.anonymous,
    advertised,
    documents: documentsAt(advertised),
    maxReadsInflight: options.maxReadsInflight,
    hasPriorityAndFairness: options.hasPriorityAndFairness ?? true,
    requestTimeoutMs: options.requestTimeoutMs ?? 60_000,
    maxWritesInflight: options.maxWritesInflight,
    watchMs: options.watchMs ?? 1_800_000,
    goawayChance: options.goawayChance ?? 0,
    corsAllowedOrigins: options.corsAllowedOrigins ?? [],
    audit: options.audit,
    registry: options.registry,
  })
  const advertiseAddress = options.publishesEndpoints ? options.advertiseAddress : undefined
  await shipObjects({ advertiseAddress, securePort: listening.port })
  hold.release()
  return { server, port: listening.port, useAuthorizers, stop }
}

/** Whose certificates a client is asked for: of users, and of proxies in front. */
function askedAuthorities({ authentication }: AssemblyOptions): { clientCa?: string } {
  const authorities = [authentication?.clientCa, authentication?.requestHeader?.clientCa].filter(Boolean)
  return authorities.length > 0 ? { clientCa: authorities.join('\n') } : {}
}
