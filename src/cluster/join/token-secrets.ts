import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Credential } from '#base/pki/certificate-authority.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { isNotFound, StatusError } from '#machinery/status/status-error.ts'
import { timeOf } from '#machinery/time/time.ts'
import { type JoinRole, type JoinToken, newJoinToken } from './join-token.ts'

/** A token as the cluster keeps it. */
export interface KeptToken {
  readonly id: string
  readonly role: JoinRole
  /** RFC 3339. */
  readonly expiration: string
}

const NAMESPACE = 'kube-system'
const TYPE = 'bootstrap.kubernetes.io/token'
const USAGE: Readonly<Record<JoinRole, string>> = {
  agent: 'usage-bootstrap-typernetes-agent',
  server: 'usage-bootstrap-typernetes-server',
}

/**
 * Makes a token and keeps it as a Secret of Kubernetes' type for bootstrap tokens, which the token cleaner removes once it has expired. It is good
 * for joining alone, not for calling the API. Who has a server's token is given the keys of the cluster; so of such a one only a digest is kept,
 * sealed with the authority's key: neither who reads Secrets nor who writes them gets in by it.
 */
export async function createToken(
  client: Client,
  clock: Clock,
  authority: Credential,
  { role, ttlMs }: { readonly role: JoinRole; readonly ttlMs: number },
): Promise<JoinToken> {
  const token = newJoinToken(authority.certificate)
  const expiration = timeOf(clock.now() + ttlMs)
  const digest = digestOf(token.secret)
  const own: Record<string, string> =
    role === 'agent' ? { 'token-secret': token.secret } : { 'token-digest': digest, seal: sealOf(authority, token.id, digest, expiration) }
  const data = { 'token-id': token.id, expiration, [USAGE[role]]: 'true', description: `Lets a machine join as ${role}.`, ...own }
  await client.create(Secret, {
    metadata: { namespace: NAMESPACE, name: nameOf(token.id) },
    type: TYPE,
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  })
  return token
}

/** Whether `id` and `secret` let somebody join in a role. Rejects with a StatusError (401) that does not tell what was wrong with them. */
export async function checkToken(
  client: Client,
  clock: Clock,
  authority: Credential,
  { role, id, secret }: { readonly role: JoinRole; readonly id: string; readonly secret: string },
): Promise<void> {
  const kept = /^[a-z0-9]{6}$/.test(id) ? await readToken(client, id) : undefined
  if (!kept || kept.metadata.deletionTimestamp || !isGood(kept, clock, authority, role, secret)) {
    throw new StatusError({
      code: 401,
      reason: 'Unauthorized',
      message: `this token does not let a machine join as ${role}: it is unknown or has expired; "t8s token create --role ${role}" on a server makes a new one`,
    })
  }
}

/** The tokens there are, with those that have expired and were not yet removed. */
export async function listTokens(client: Client): Promise<KeptToken[]> {
  const { items } = await client.list(Secret, { namespace: NAMESPACE, fieldSelector: `type=${TYPE}` })
  return items.flatMap(secret => {
    const role = (['agent', 'server'] as const).find(one => textOf(secret, USAGE[one]) === 'true')
    return role ? [{ id: textOf(secret, 'token-id'), role, expiration: textOf(secret, 'expiration') }] : []
  })
}

/** Makes a token useless; false if there is none of this id. */
export async function deleteToken(client: Client, id: string): Promise<boolean> {
  try {
    await client.delete(Secret, { namespace: NAMESPACE, name: nameOf(id) })
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

const nameOf = (id: string) => `bootstrap-token-${id}`

async function readToken(client: Client, id: string): Promise<Secret | undefined> {
  try {
    return await client.get(Secret, { namespace: NAMESPACE, name: nameOf(id) })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function isGood(kept: Secret, clock: Clock, authority: Credential, role: JoinRole, secret: string): boolean {
  const id = textOf(kept, 'token-id')
  const expiration = textOf(kept, 'expiration')
  if (kept.type !== TYPE || textOf(kept, USAGE[role]) !== 'true' || nameOf(id) !== kept.metadata.name) return false
  if (!(clock.now() < Date.parse(expiration))) return false
  if (role === 'agent') return textOf(kept, 'token-secret') !== '' && isSame(digestOf(textOf(kept, 'token-secret')), digestOf(secret))
  const digest = textOf(kept, 'token-digest')
  return isSame(digest, digestOf(secret)) && isSame(textOf(kept, 'seal'), sealOf(authority, id, digest, expiration))
}

function textOf(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8')
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')

function sealOf(authority: Credential, id: string, digest: string, expiration: string): string {
  const key = createHmac('sha256', authority.privateKey).update('typernetes join token').digest()
  return createHmac('sha256', key).update(`${id}\n${digest}\n${expiration}`).digest('hex')
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
