import type { OutgoingHttpHeaders } from 'node:http'
import type { UserInfo } from '#client/direct/api-handler.ts'

/** How this server proves itself to aggregated servers (`--proxy-client-cert-file`): they believe then whom it says a request is from. PEM. */
export interface FrontProxyCredential {
  readonly certificate: string
  readonly privateKey: string
}

/** Headers that say who sends a request: nobody but this server says so. */
export const USER_HEADERS = /^x[-_]remote[-_](user|uid|group|extra[-_].*)$/

/** Who sends a request, as headers for an aggregated server. */
export function userHeaders({ name, uid, groups, extra = {} }: UserInfo): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'x-remote-user': asBytes(name), 'x-remote-group': groups.map(asBytes) }
  if (uid) headers['x-remote-uid'] = asBytes(uid)
  for (const [key, values] of Object.entries(extra)) headers[`x-remote-extra-${escapedKey(key)}`] = values.map(asBytes)
  return headers
}

/** Node writes a header character by character: UTF-8 goes as its bytes. */
function asBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text))
}

/** What may not stand in the name of a header is escaped as in a URL. */
function escapedKey(key: string): string {
  let escaped = ''
  for (const byte of new TextEncoder().encode(key.toLowerCase())) {
    const character = String.fromCharCode(byte)
    escaped += /[a-z0-9!#$&'*+.^_`|~-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}
