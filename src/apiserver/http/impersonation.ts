import type { UserInfo } from '#client/direct/api-handler.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { quote, quoteAll } from '#machinery/status/go-text.ts'
import { extraOf, valuesByName } from '../authentication/request-header.ts'
import type { Attributes, Authorizer } from '../authorization/authorizer.ts'
import type { Exchange } from './exchange.ts'
import { type Impersonated, type ImpersonationMode, impersonationModes } from './impersonation-modes.ts'

/** Whether a request asks to be taken for somebody else's. Hot: asked of every request. */
export function wantsImpersonation(headers: Exchange['headers']): boolean {
  if (headers['impersonate-user'] !== undefined || headers['impersonate-group'] !== undefined || headers['impersonate-uid'] !== undefined) {
    return true
  }
  for (const name in headers) if (name.startsWith(EXTRA)) return true
  return false
}

const EXTRA = 'impersonate-extra-'
const REMEMBERED_LIMIT = 10_000

/**
 * Lets users act as others, as far as the authorizer allows: constrained to what they then do (KEP-5284), or by the verb `impersonate` whatever
 * they do. The mode that a user had success with is tried first.
 */
export class Impersonation {
  readonly #modes: readonly ImpersonationMode[]
  readonly #lastMode = new Map<string, ImpersonationMode>()

  constructor(authorizer: Authorizer) {
    this.#modes = impersonationModes(authorizer)
  }

  /** Whom the sender of a request wants to be taken for, once it is sure that this is allowed; undefined if for nobody. Rejects with 400, 403. */
  async impersonate(exchange: Exchange, attributes: Attributes): Promise<Impersonated | undefined> {
    const wanted = wantedUser(exchange)
    if (!wanted) return undefined
    const requester = attributes.user.name
    const first = this.#lastMode.get(requester)
    const modes = first ? [first, ...this.#modes.filter(mode => mode !== first)] : this.#modes
    let refused: unknown
    for (const mode of modes) {
      try {
        const found = await mode.check(wanted, attributes)
        if (!found) continue
        if (this.#lastMode.size >= REMEMBERED_LIMIT) this.#lastMode.clear()
        this.#lastMode.set(requester, mode)
        return found
      } catch (error) {
        refused ??= error
      }
    }
    throw refused
  }
}

/** The user as the headers say, nothing added; undefined if they name nobody. */
function wantedUser(exchange: Exchange): UserInfo | undefined {
  const values = valuesByName(exchange.rawHeaders)
  const name = values.get('impersonate-user')?.[0] ?? ''
  const uid = values.get('impersonate-uid')?.[0] ?? ''
  const groups = values.get('impersonate-group') ?? []
  const extra = extraOf(values, [EXTRA])
  const hasExtra = Object.keys(extra).length > 0
  if (name === '' && (uid !== '' || groups.length > 0 || hasExtra)) {
    throw badRequest(`requested ${goUser(uid, groups, extra)} without impersonating a user name`)
  }
  if (name === '') return undefined
  return { name, groups, ...(uid === '' ? {} : { uid }), ...(hasExtra ? { extra } : {}) }
}

/** The user as Go prints the structure. */
function goUser(uid: string, groups: readonly string[], extra: Readonly<Record<string, readonly string[]>>): string {
  const list = (values: readonly string[]) => (values.length === 0 ? '[]string(nil)' : `[]string{${quoteAll(values)}}`)
  const entries = Object.entries(extra).map(([key, values]) => `${quote(key)}:${list(values)}`)
  const map = entries.length === 0 ? 'map[string][]string(nil)' : `map[string][]string{${entries.join(', ')}}`
  return `&user.DefaultInfo{Name:"", UID:${quote(uid)}, Groups:${list(groups)}, Extra:${map}}`
}
