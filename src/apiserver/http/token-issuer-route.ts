import { StatusError } from '#machinery/status/status-error.ts'
import { headerOf } from './exchange.ts'
import type { DocumentRoute } from './path-route.ts'
import type { RequestContext } from './request-context.ts'

export interface TokenIssuerDocuments {
  readonly issuer: string
  /** Where the keys are found from outside: `https://host:port/openid/v1/jwks`. */
  readonly keysUrl: string
  readonly keySet: { readonly keys: readonly Readonly<Record<string, unknown>>[] }
}

/** By what others verify the tokens of service accounts: the issuer's description (OpenID discovery) and its public keys. */
export function tokenIssuerRoute({ issuer, keysUrl, keySet }: TokenIssuerDocuments): DocumentRoute {
  const algorithms = [...new Set(keySet.keys.map(key => String(key['alg'])))]
  const configuration = {
    issuer,
    jwks_uri: keysUrl,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms,
  }
  return {
    serve(context, path) {
      if (path === '/.well-known/openid-configuration') return send(context, configuration, 'application/json')
      if (path === '/openid/v1/jwks') return send(context, keySet, 'application/jwk-set+json')
      return false
    },
  }
}

function send(context: RequestContext, document: object, contentType: string): true {
  const accept = headerOf(context.exchange, 'accept') ?? '*/*'
  const accepts = accept.split(',').map(clause => clause.split(';', 1)[0]!.trim())
  if (accept !== '' && !accepts.includes(contentType) && !accepts.includes('*/*')) {
    const message = `406: Not Acceptable\n\nAvailable representations: ${contentType}`
    throw new StatusError({ code: 406, reason: 'NotAcceptable', message, details: {} })
  }
  const bytes = new TextEncoder().encode(JSON.stringify(document))
  context.send(200, { bytes, contentType }, { 'cache-control': 'public, max-age=3600' })
  return true
}
