import { JsonError, parseJson } from '#machinery/codec/json/parse-json.ts'
import { badRequest } from '#machinery/status/failures.ts'

/** Where a list goes on. */
export interface ContinueToken {
  /** The revision that all pages are of; -1 for the present one. */
  readonly revision: number
  /** The first key that was not shown, behind the list's own prefix. */
  readonly start: string
}

/** Base64url of JSON, as upstream's: clients treat it as opaque, but may carry it from one server to another. */
export function encodeContinue({ revision, start }: ContinueToken): string {
  const text = JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })
  const binary = String.fromCharCode(...new TextEncoder().encode(text))
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** Throws 400 where the token is none of ours. */
export function decodeContinue(token: string): ContinueToken {
  const value = parse(token)
  if (value.v !== 'meta.k8s.io/v1')
    throw badToken('invalid continue token: continue key is not valid: server does not recognize this encoded version')
  if (!value.rv || typeof value.rv !== 'number')
    throw badToken('invalid continue token: continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (typeof value.start !== 'string' || value.start === '')
    throw badToken('invalid continue token: continue key is not valid: encoded start key empty (version meta.k8s.io/v1)')
  if (`/${value.start}`.split('/').includes('..')) throw badToken(`invalid continue token: continue key is not valid: ${value.start}`)
  return { revision: value.rv, start: value.start }
}

/** The key to begin with, within the keys that begin with `prefix`. */
export function continueKey(token: ContinueToken, prefix: string): string {
  return `${prefix}${token.start}`
}

function parse(token: string): { v?: unknown; rv?: unknown; start?: unknown } {
  const bad = [...token].findIndex(char => !/[A-Za-z0-9_=-]/.test(char))
  if (bad >= 0 || token.length % 4 === 1) {
    const at = bad >= 0 ? bad : token.length - 1
    throw badToken(`invalid continue token: continue key is not valid: illegal base64 data at input byte ${at}`)
  }
  try {
    const binary = atob(token.replaceAll('-', '+').replaceAll('_', '/'))
    const first = binary.charCodeAt(0)
    if (first >= 0x80) throw new JsonError(`invalid character '${byteText(first)}' looking for beginning of value`)
    const value = parseJson(Uint8Array.from(binary, char => char.charCodeAt(0)))
    return typeof value === 'object' && value !== null ? value : {}
  } catch (error) {
    if (error instanceof JsonError) throw badToken(`invalid continue token: continue key is not valid: ${error.message}`)
    throw error
  }
}

/** A byte as Go quotes it in an error. */
function byteText(byte: number): string {
  return byte < 0xa0 ? `\\u${byte.toString(16).padStart(4, '0')}` : String.fromCharCode(byte)
}

function badToken(message: string) {
  return badRequest(message)
}
