import { createHash, timingSafeEqual } from 'node:crypto'
import type { Client } from '#client/client.ts'
import { Node } from '#kinds/core/v1/node.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { isNotFound, StatusError } from '#machinery/status/status-error.ts'

/**
 * Holds a node's name for the machine that took it first: the digest of a password that only this machine knows is kept in a Secret. Without
 * it, whoever has a join token could get the certificate of any node, with all Secrets of its pods. Rejects with a StatusError (403) when the
 * name belongs to another machine; once the Node object is deleted, the name is free.
 */
export async function claimNodeName(client: Client, nodeName: string, password: string): Promise<void> {
  const name = `${nodeName}.node-password.typernetes.dev`
  const metadata = { namespace: 'kube-system', name }
  const digest = createHash('sha256').update(password).digest('hex')
  const data = { digest: Buffer.from(digest).toString('base64') }
  const kept = await found(client.get(Secret, metadata))
  if (kept) {
    const before = Buffer.from(kept.data?.['digest'] ?? '', 'base64')
    if (before.length === digest.length && timingSafeEqual(before, Buffer.from(digest))) return
    if (await found(client.get(Node, { name: nodeName }))) throw taken(nodeName)
    await client.update(Secret, { ...kept, data })
    return
  }
  if (await found(client.get(Node, { name: nodeName }))) throw taken(nodeName)
  await client.create(Secret, { metadata, type: 'typernetes.dev/node-password', data })
}

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function taken(nodeName: string): StatusError {
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: `there is a node "${nodeName}" already, which is another machine: choose another --node-name, or delete that node if its machine is gone for good`,
  })
}
