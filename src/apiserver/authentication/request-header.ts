import type { CertificateVerifier } from '#base/pki/client-certificate.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Authenticator, Credentials } from './authenticator.ts'

/** By which headers a proxy in front says who sends a request (`--requestheader-…`). */
export interface RequestHeaderOptions {
  /** Knows the proxies by their certificates (`--requestheader-client-ca-file`): an authority of its own. */
  readonly verifier: CertificateVerifier
  /** Common names of proxies that are believed; none: all that the authority has signed. */
  readonly allowedNames: readonly string[]
  /** The first of these with a value is the user. */
  readonly usernameHeaders: readonly string[]
  readonly uidHeaders: readonly string[]
  readonly groupHeaders: readonly string[]
  /** What stands behind such a beginning is the key of a further fact. */
  readonly extraHeaderPrefixes: readonly string[]
  readonly clock: Clock
}

/** Takes the word of a proxy that shows its certificate for who sends a request. Without that certificate the headers say nothing. */
export function requestHeaderAuthenticator(options: RequestHeaderOptions): Authenticator {
  const { verifier, allowedNames, clock } = options
  const lower = (names: readonly string[]) => names.map(name => name.trim().toLowerCase()).filter(Boolean)
  const usernames = lower(options.usernameHeaders)
  const uids = lower(options.uidHeaders)
  const groups = lower(options.groupHeaders)
  const prefixes = lower(options.extraHeaderPrefixes)
  return {
    name: 'request header',
    looksAt: headers => usernames.some(name => headers[name] !== undefined),
    async authenticate({ certificate, headers, rawHeaders }) {
      if (!certificate || !usernames.some(name => headers[name])) return undefined
      const { commonName } = verifier.verify(certificate.raw, certificate.issuers, clock.now())
      if (allowedNames.length > 0 && !allowedNames.includes(commonName)) {
        throw new Error(`the proxy ${JSON.stringify(commonName)} is none whose headers are believed: see --requestheader-allowed-names`)
      }
      const values = valuesByName(rawHeaders ?? flat(headers))
      const first = (names: readonly string[]) => names.map(name => values.get(name)?.[0]).find(Boolean)
      const name = first(usernames)
      if (!name) return undefined
      const uid = first(uids)
      const extra = extraOf(values, prefixes)
      return {
        user: {
          name,
          ...(uid ? { uid } : {}),
          groups: groups.flatMap(group => (values.get(group) ?? []).filter(Boolean)),
          ...(Object.keys(extra).length > 0 ? { extra } : {}),
        },
      }
    },
  }
}

/** The values of each header, by its name in lower case. Raw headers are names and values in turn. */
export function valuesByName(rawHeaders: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    const known = values.get(name)
    if (known) known.push(rawHeaders[at + 1]!)
    else values.set(name, [rawHeaders[at + 1]!])
  }
  return values
}

/** The facts behind each of `prefixes`; keys are escaped in headers, and those that cannot be read are kept as they are. */
export function extraOf(values: ReadonlyMap<string, readonly string[]>, prefixes: readonly string[]): Record<string, readonly string[]> {
  const extra = new Map<string, string[]>()
  for (const prefix of prefixes) {
    for (const [name, found] of values) {
      if (!name.startsWith(prefix)) continue
      const key = unescaped(name.slice(prefix.length))
      extra.set(key, [...(extra.get(key) ?? []), ...found])
    }
  }
  return Object.fromEntries(extra)
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

function flat(headers: Credentials['headers']): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().flatMap(one => [name, one]))
}
