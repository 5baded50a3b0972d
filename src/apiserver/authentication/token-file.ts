import type { UserInfo } from '#client/direct/api-handler.ts'
import type { Authenticator } from './authenticator.ts'
import type { Digest } from './token-cache.ts'

/**
 * Static tokens from a file of lines `token,user,uid,"group1,group2"` (`--token-auth-file`). Tokens are looked up by their digest, so that the
 * time of an answer says nothing about them.
 *
 * Throws, naming the line, when a line has fewer than three columns.
 */
export function tokenFileAuthenticator(text: string, digest: Digest): Authenticator {
  const users = new Map<string, UserInfo>()
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return
    const [token, name, uid, groups = ''] = columnsOf(line)
    if (!token || !name || uid === undefined) {
      throw new Error(`token file, line ${index + 1}: a line is token,user,uid and, if any, "group1,group2"; this one has too few columns`)
    }
    users.set(digest(token), { name, ...(uid === '' ? {} : { uid }), groups: groups.split(',').filter(group => group !== '') })
  })
  return {
    name: 'token file',
    async authenticate({ bearerToken }) {
      const user = bearerToken === undefined ? undefined : users.get(digest(bearerToken))
      return user && { user }
    },
  }
}

/** The columns of a line of comma-separated values; quotes hold commas, two quotes in quotes are one. */
function columnsOf(line: string): string[] {
  const columns = line.trim().matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)
  return [...columns].map(([, quoted, plain]) => (quoted === undefined ? (plain ?? '').trim() : quoted.replaceAll('""', '"')))
}
