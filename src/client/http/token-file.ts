import { readFile } from 'node:fs/promises'
import type { Clock } from '#base/time/clock.ts'

/** How long a token is used before its file is read again: kubelets renew it long before it ends. */
const FRESH_MS = 60_000

/** A bearer token that is kept in a file and renewed there. */
export function tokenFile(path: string, clock: Clock): () => Promise<string> {
  let token = ''
  let readAtMs = Number.NEGATIVE_INFINITY
  return async () => {
    if (clock.monotonic() - readAtMs < FRESH_MS) return token
    try {
      token = (await readFile(path, 'utf8')).trim()
      readAtMs = clock.monotonic()
    } catch (error) {
      if (token === '') throw new Error(`the token file ${path} cannot be read: check the path and its permissions`, { cause: error })
    }
    return token
  }
}
