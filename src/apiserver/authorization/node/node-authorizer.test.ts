import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import { informers } from '#client/informers/informers.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'
import type { Decision, ResourceAttributes } from '../authorizer.ts'
import { nodeAuthorizer } from './node-authorizer.ts'

const objects: Readonly<Record<string, readonly object[]>> = {
  ResourceSlice: [
    { metadata: { name: 'gpus-of-n1' }, spec: { nodeName: 'n1', driver: 'd', pool: { name: 'p', generation: 1, resourceSliceCount: 1 } } },
  ],
}
const still = {
  list: async (kind: AnyKind) => ({
    metadata: { resourceVersion: '1' },
    items: (objects[kind.kind] ?? []).map(object => decode(kind.schema, object, { defaults: true, unknown: [] })),
  }),
  watch: () => ({ [Symbol.dispose]() {} }),
} as unknown as Client

async function ask(node: string, asked: Partial<ResourceAttributes>): Promise<Decision> {
  const shared = informers({ client: still, clock: virtualClock(), log: silentLogger })
  const authorizer = nodeAuthorizer(shared)
  await shared.synced()
  const user = { name: `system:node:${node}`, groups: ['system:nodes'] }
  const slices = { group: 'resource.k8s.io', version: 'v1', resource: 'resourceslices', subresource: '', namespace: '', name: '' }
  return authorizer.authorize({ user, verb: 'get', ...slices, ...asked })
}

describe('a node and the devices of nodes', () => {
  it.each([
    ['n1', { verb: 'get', name: 'gpus-of-n1' }, 'allow'],
    ['n2', { verb: 'get', name: 'gpus-of-n1' }, 'no opinion'],
    ['n2', { verb: 'delete', name: 'gpus-of-n1' }, 'no opinion'],
    ['n1', { verb: 'create' }, 'allow'],
    ['n1', { verb: 'list' }, 'no opinion'],
    ['n1', { verb: 'list', fieldSelector: 'spec.nodeName=n1' }, 'allow'],
    ['n2', { verb: 'watch', fieldSelector: 'spec.nodeName=n1' }, 'no opinion'],
    ['n1', { verb: 'get', name: 'gpus-of-n1', subresource: 'status' }, 'no opinion'],
  ])('%s asking for %j: %s', async (node, asked, verdict) => {
    expect((await ask(node, asked)).verdict).toBe(verdict)
  })

  it('says that its rules cannot be told', async () => {
    const shared = informers({ client: still, clock: virtualClock(), log: silentLogger })
    const authorizer = nodeAuthorizer(shared)
    expect(authorizer.rulesFor!({ name: 'system:node:n1', groups: ['system:nodes'] }, 'a')).toMatchObject({
      incomplete: true,
      problem: 'node authorizer does not support user rule resolution',
    })
    expect(authorizer.rulesFor!({ name: 'alice', groups: [] }, 'a')).toBeUndefined()
  })
})
