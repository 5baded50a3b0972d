import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { realClock } from '#base/time/real-clock.ts'
import type { Client } from '#client/client.ts'
import { httpClient } from '#client/http/http-client.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import { type JoinRole, joinTokenText } from '../join/join-token.ts'
import { createToken, deleteToken, type KeptToken, listTokens } from '../join/token-secrets.ts'
import { SetupError } from '../setup-error.ts'
import { localServer } from './local-server.ts'
import { apiUrlAt, type ServerLayout } from './server-record.ts'

const DEFAULT_TTL: Readonly<Record<JoinRole, string>> = { agent: '24h', server: '1h' }

/** Makes a token on a server of the cluster; says also where to join. */
export async function createJoinToken(
  dataDir: string,
  role: JoinRole,
  ttl: string = DEFAULT_TTL[role],
): Promise<{ readonly token: string; readonly server: string }> {
  const layout = localServer(dataDir)
  const read = (name: string) => readFileSync(join(layout.certificatesDir, name), 'utf8')
  const authority = { certificate: read('ca.crt'), privateKey: read('ca.key') }
  const token = await asAdmin(layout, client => createToken(client, realClock(), authority, { role, ttlMs: ttlMs(ttl) }))
  return { token: joinTokenText(token), server: apiUrlAt(layout.advertiseAddress, layout.apiPort) }
}

export function listJoinTokens(dataDir: string): Promise<KeptToken[]> {
  return asAdmin(localServer(dataDir), listTokens)
}

export async function deleteJoinToken(dataDir: string, id: string): Promise<void> {
  if (!(await asAdmin(localServer(dataDir), client => deleteToken(client, id)))) {
    throw new SetupError(`There is no token ${id}`, 'run "t8s token ls" to see which there are')
  }
}

function ttlMs(text: string): number {
  let ms = Number.NaN
  try {
    ms = durationMs(text)
  } catch {
    // says the same as too short
  }
  if (ms >= 60_000) return ms
  throw new SetupError(`--ttl ${text} is no time that a token can be good for`, 'give a minute or more, such as 30m or 24h')
}

async function asAdmin<T>(layout: ServerLayout, work: (client: Client) => Promise<T>): Promise<T> {
  const clock = realClock()
  using client = httpClient({ ...clientOptionsFromFile(layout.kubeconfig, clock), timeoutMs: 15_000, userAgent: 't8s' })
  return await work(client)
}
