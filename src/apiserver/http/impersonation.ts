import type { UserInfo } from '#client/direct/api-handler.ts'
import { badRequest } from '#machinery/status/failures.ts'
import { quote, quoteAll } from '#machinery/status/go-text.ts'
import { refusal } from '../access.ts'
import { AUTHENTICATED, UNAUTHENTICATED } from '../authentication/authenticator-chain.ts'
import type { Authorizer, ResourceAttributes } from '../authorization/authorizer.ts'

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** Whether a request asks to be taken for somebody else's. Hot: asked of every request. */
export function wantsImpersonation(headers: Headers): boolean {
  if (headers['impersonate-user'] !== undefined || headers['impersonate-group'] !== undefined || headers['impersonate-uid'] !== undefined) {
    return true
  }
  for (const name in headers) if (name.startsWith('impersonate-extra-')) return true
  return false
}

/** The user that `user` wants to be taken for, once it is sure that this is allowed. */
export async function impersonated(headers: Headers, user: UserInfo, authorizer: Authorizer): Promise<UserInfo> {
  const name = valuesOf(headers, 'impersonate-user')[0] ?? ''
  const uid = valuesOf(headers, 'impersonate-uid')[0]
  const groups = valuesOf(headers, 'impersonate-group')
  const extra = extraOf(headers)
  if (name === '') throw badRequest(`requested ${goUser(uid ?? '', groups, extra)} without impersonating a user name`)
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  const must = async (group: string, resource: string, subject: string, subresource = '', namespace = '') => {
    const attributes: ResourceAttributes = {
      user,
      verb: 'impersonate',
      group,
      version: 'v1',
      resource,
      subresource,
      namespace,
      name: subject,
    }
    const { verdict, reason } = await authorizer.authorize(attributes)
    if (verdict !== 'allow') throw refusal(attributes, reason)
  }
  if (account) await must('', 'serviceaccounts', account[2]!, '', account[1]!)
  else await must('', 'users', name)
  for (const group of groups) await must('', 'groups', group)
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) await must('authentication.k8s.io', 'userextras', value, key)
  }
  if (uid !== undefined) await must('authentication.k8s.io', 'uids', uid)
  const own = account && groups.length === 0 ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`] : [...groups]
  const mark = name === 'system:anonymous' ? UNAUTHENTICATED : AUTHENTICATED
  if (!own.includes(AUTHENTICATED) && !own.includes(UNAUTHENTICATED)) own.push(mark)
  return { name, groups: own, ...(uid === undefined ? {} : { uid }), ...(Object.keys(extra).length ? { extra } : {}) }
}

/** The user as Go prints the structure. */
function goUser(uid: string, groups: readonly string[], extra: Readonly<Record<string, readonly string[]>>): string {
  const list = (values: readonly string[]) => (values.length === 0 ? '[]string(nil)' : `[]string{${quoteAll(values)}}`)
  const entries = Object.entries(extra).map(([key, values]) => `${quote(key)}:${list(values)}`)
  const map = entries.length === 0 ? 'map[string][]string(nil)' : `map[string][]string{${entries.join(', ')}}`
  return `&user.DefaultInfo{Name:"", UID:${quote(uid)}, Groups:${list(groups)}, Extra:${map}}`
}

function extraOf(headers: Headers): Record<string, string[]> {
  const extra: Record<string, string[]> = {}
  for (const name of Object.keys(headers)) {
    if (name.startsWith('impersonate-extra-')) extra[decodeURIComponent(name.slice('impersonate-extra-'.length))] = valuesOf(headers, name)
  }
  return extra
}

function valuesOf(headers: Headers, name: string): string[] {
  const value = headers[name]
  if (value === undefined) return []
  return typeof value === 'string' ? value.split(/,\s*/) : [...value]
}
