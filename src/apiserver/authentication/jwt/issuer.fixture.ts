import { createPublicKey } from 'node:crypto'
import { type Claims, tokenSigner, tokenVerifier } from '#base/pki/json-web-token.ts'
import { type KeyPair, newKeyPair } from '#base/pki/key-pair.ts'
import { decode } from '#machinery/schema/decode.ts'
import { AuthenticationConfiguration, type JwtAuthenticatorConfig } from './authentication-configuration.ts'
import type { Fetch } from './issuer-keys.ts'

/** An issuer of tokens for tests: what it answers to those who fetch its documents, and tokens of its own. */
export function testIssuer(url: string) {
  let keys: KeyPair = newKeyPair()
  let isDown = false
  const asked: string[] = []
  const documents = (): Record<string, unknown> => ({
    [`${url}/.well-known/openid-configuration`]: { issuer: url, jwks_uri: `${url}/keys` },
    [`${url}/keys`]: tokenVerifier([keys.publicKey]).keySet,
  })
  const fetch: Fetch = async path => {
    asked.push(path)
    if (isDown) throw new Error('connection refused')
    const document = documents()[path]
    return document ? { status: 200, body: JSON.stringify(document) } : { status: 404, body: '' }
  }
  return {
    url,
    fetch,
    asked,
    /** As PEM: by which a forger might sign with a secret that everybody knows. */
    publicKey: () => createPublicKey(keys.publicKey).export({ type: 'spki', format: 'pem' }) as string,
    sign: (claims: Claims) => tokenSigner(keys.privateKey).sign(claims),
    rotate() {
      keys = newKeyPair()
    },
    down(is: boolean) {
      isDown = is
    },
  }
}

/** A configuration of one issuer, as a file would say it. */
export function jwtConfig(config: object): JwtAuthenticatorConfig {
  const { jwt } = decode(AuthenticationConfiguration, { jwt: [config] }, { defaults: true, unknown: [] }) as AuthenticationConfiguration
  return jwt![0]!
}
