import { createHash } from 'node:crypto'
import type { ApiServer } from '#apiserver/api-server.ts'
import type { Authenticator } from '#apiserver/authentication/authenticator.ts'
import { authenticatorChain } from '#apiserver/authentication/authenticator-chain.ts'
import { clientCertificateAuthenticator } from '#apiserver/authentication/client-certificate.ts'
import { tokenCache } from '#apiserver/authentication/token-cache.ts'
import { tokenFileAuthenticator } from '#apiserver/authentication/token-file.ts'
import { certificateVerifier } from '#base/pki/client-certificate.ts'
import type { Clock } from '#base/time/clock.ts'
import { type AssemblyOptions, assembleApiServer } from './assembled-api-server.ts'

/** An API server that runs alone, with what upstream's flags say. Texts of files, not their names. */
export interface LoneApiServerOptions extends AssemblyOptions, AuthenticationOptions {
  readonly address: string
  readonly port: number
  readonly advertiseAddress: string
  readonly tls: { readonly certificate: string; readonly key: string }
  readonly allowsAnonymous: boolean
  readonly maxReadsInflight: number
  readonly maxWritesInflight: number
  readonly publishesEndpoints: boolean
}

export interface LoneApiServer {
  readonly server: ApiServer
  readonly port: number
  stop(): Promise<void>
}

/** Starts an API server and resolves once it listens; `/readyz` says ok once the objects that every server ships are there. */
export async function startLoneApiServer(options: LoneApiServerOptions): Promise<LoneApiServer> {
  const { log, clientCa } = options
  const { server, serviceAccountTokens, documentsAt, shipObjects, stop } = await assembleApiServer(options)
  const hold = server.holdReadiness('the objects that every server ships are not there yet')
  const advertised = `${options.advertiseAddress}:${options.port}`
  const listening = await server.listen({
    address: options.address,
    port: options.port,
    tls: { ...options.tls, ...(clientCa ? { clientCa } : {}) },
    authenticator: authenticatorChain(authenticatorsOf(options, serviceAccountTokens), log),
    allowsAnonymous: options.allowsAnonymous,
    advertised,
    documents: documentsAt(advertised),
    maxReadsInflight: options.maxReadsInflight,
    maxWritesInflight: options.maxWritesInflight,
  })
  const advertiseAddress = options.publishesEndpoints ? options.advertiseAddress : undefined
  await shipObjects({ advertiseAddress, securePort: listening.port })
  hold.release()
  return { server, port: listening.port, stop }
}

/** By what clients of a port may prove who they are, beside service-account tokens. */
export interface AuthenticationOptions {
  readonly clock: Clock
  /** The authorities of client certificates, as PEM. */
  readonly clientCa: string | undefined
  /** Lines of `token,user,uid,"groups"`. */
  readonly tokenFile: string | undefined
}

/** The authenticators of a port, in the order in which they are asked. */
export function authenticatorsOf(options: AuthenticationOptions, serviceAccountTokens: Authenticator | undefined): Authenticator[] {
  const { clock, clientCa, tokenFile } = options
  const digest = (text: string) => createHash('sha256').update(text).digest('base64')
  return [
    ...(clientCa ? [clientCertificateAuthenticator(certificateVerifier(clientCa), clock)] : []),
    ...(tokenFile ? [tokenFileAuthenticator(tokenFile, digest)] : []),
    ...(serviceAccountTokens ? [tokenCache(serviceAccountTokens, clock, digest)] : []),
  ]
}
