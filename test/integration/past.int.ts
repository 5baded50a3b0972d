import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { ClusterRole } from '#kinds/rbac/v1/cluster-role.ts'
import { ClusterRoleBinding } from '#kinds/rbac/v1/cluster-role-binding.ts'
import { draft } from '#machinery/kind/draft.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { decodeSnapshot } from '#store/snapshot/snapshot-file.ts'
import { type LoneServer, startLoneServer } from '../support/lone-server.ts'

/* Reading the past over the wire, as whoever asks. */

const MOMENTS = '/apis/typernetes.dev/v1/moments'
const store = new MemoryStore({ clock: realClock() })
const name = { namespace: 'default', name: 'past' }
let server: LoneServer
let first: string
let last: string

beforeAll(async () => {
  server = await startLoneServer(store)
  const client = server.client()
  const made = await client.create(ConfigMap, { metadata: { ...name, labels: { app: 'web' } }, data: { x: '1' } })
  await client.create(ConfigMap, { metadata: { ...name, name: 'other' } })
  const changed = await client.update(ConfigMap, { ...draft(made), data: { x: '2' } })
  await client.delete(ConfigMap, { ...name, name: 'other' })
  first = made.metadata.resourceVersion!
  last = changed.metadata.resourceVersion!
  await client.create(ClusterRole, {
    metadata: { name: 'looks-back' },
    rules: [{ apiGroups: ['typernetes.dev'], resources: ['moments', 'moments/objects'], verbs: ['get', 'list'] }],
  })
  await client.create(ClusterRoleBinding, {
    metadata: { name: 'looks-back' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'looks-back' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'reader' }],
  })
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await store.close()
})

const at = (moment: string, path: string) => `${MOMENTS}/${moment}/objects${path}`
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

describe('a read as of a moment', () => {
  it('answers an object and a list as they were', async () => {
    const client = server.client()
    expect(JSON.parse(await client.raw(at(first, `${CONFIG_MAPS}/past`)))).toMatchObject({
      data: { x: '1' },
      metadata: { resourceVersion: first },
    })
    expect((await client.get(ConfigMap, name, { resourceVersion: first, resourceVersionMatch: 'Exact' })).data).toEqual({ x: '1' })
    const list = JSON.parse(await client.raw(at(last, CONFIG_MAPS))) as { items: { metadata: { name: string } }[]; metadata: object }
    expect(list.items.map(item => item.metadata.name)).toEqual(['other', 'past'])
    expect(list.metadata).toMatchObject({ resourceVersion: last })
  })

  it('takes selectors, pages, and every form that the present has', async () => {
    const client = server.client()
    const names = async (path: string) =>
      (JSON.parse(await client.raw(at(last, path))) as { items: { metadata: { name: string } }[] }).items.map(i => i.metadata.name)
    expect(await names(`${CONFIG_MAPS}?labelSelector=app%3Dweb`)).toEqual(['past'])
    expect(await names(`${CONFIG_MAPS}?fieldSelector=metadata.name%3Dother`)).toEqual(['other'])
    const page = JSON.parse(await client.raw(at(last, `${CONFIG_MAPS}?limit=1`))) as { metadata: { continue: string } }
    expect(await names(`${CONFIG_MAPS}?limit=1&continue=${encodeURIComponent(page.metadata.continue)}`)).toEqual(['past'])
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const table = JSON.parse(await client.raw(at(last, CONFIG_MAPS), { accept })) as { kind: string; rows: { cells: unknown[] }[] }
    expect([table.kind, table.rows.map(row => row.cells[0])]).toEqual(['Table', ['other', 'past']])
    const yaml = await client.raw(at(first, `${CONFIG_MAPS}/past`), { accept: 'application/yaml' })
    expect(yaml).toContain('kind: ConfigMap\n')
  })

  it('of what was not there, or is no API, is a 404', async () => {
    const client = server.client()
    await expect(client.raw(at('1', `${CONFIG_MAPS}/past`))).rejects.toMatchObject({ code: 404 })
    for (const path of ['/version', '/api/v1', '/api/v1/nothing', `${MOMENTS}/newest/objects/api/v1/pods`, ''])
      await expect(client.raw(at('newest', path))).rejects.toMatchObject({ code: 404 })
  })

  it('cannot be a watch, a write or a subresource', async () => {
    const client = server.client()
    await expect(client.raw(at('newest', `${CONFIG_MAPS}?watch=true`))).rejects.toMatchObject({ code: 400 })
    await expect(client.raw(at('newest', '/api/v1/watch/configmaps'))).rejects.toMatchObject({ code: 400 })
    await expect(client.raw(at('newest', '/api/v1/namespaces/default/pods/x/log'))).rejects.toMatchObject({ code: 400 })
  })

  it('needs a permission for the past, and the one for the present', async () => {
    await expect(server.client('nobody').raw(at(first, CONFIG_MAPS))).rejects.toThrow(
      'User "nobody" cannot get resource "moments/objects" in API group "typernetes.dev" at the cluster scope',
    )
    const reader = server.client('reader')
    await expect(reader.raw(at(first, CONFIG_MAPS))).rejects.toThrow('User "reader" cannot list resource "configmaps" in API group ""')
    await expect(reader.raw(`${MOMENTS}/newest/snapshot`)).rejects.toMatchObject({ code: 403 })
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }]
    await server.client().create(ClusterRole, { metadata: { name: 'views' }, rules })
    const role = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'views' }
    const subjects = [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'reader' }]
    await server.client().create(ClusterRoleBinding, { metadata: { name: 'views' }, roleRef: role, subjects })
    await expect
      .poll(() => reader.raw(at(first, CONFIG_MAPS)).catch((error: Error) => error.message), { timeout: 10_000 })
      .toContain('"past"')
    await expect(reader.raw(at(first, '/api/v1/secrets'))).rejects.toMatchObject({ code: 403 })
  })
})

describe('a snapshot over the wire', () => {
  it('is the whole store as of a moment', async () => {
    const parts: Buffer[] = []
    await server.client().download(`${MOMENTS}/${last}/snapshot`, part => parts.push(part))
    const { revision, kvs } = decodeSnapshot(Buffer.concat(parts), 'there')
    expect(revision).toBe(Number(last))
    const keys = kvs.map(kv => kv.key)
    expect(keys).toContain('/registry/configmaps/default/other')
    expect(keys).not.toContain('/registry/clusterroles/looks-back')
  })
})

it('a list with resourceVersionMatch=Exact answers that revision, and refuses as upstream does', async () => {
  const client = server.client()
  const { items } = await client.list(ConfigMap, { namespace: 'default', resourceVersion: last, resourceVersionMatch: 'Exact' })
  expect(items.map(item => item.metadata.name)).toEqual(['other', 'past'])
  const refused = (options: { resourceVersion?: string; resourceVersionMatch: 'Exact' }) => client.list(ConfigMap, options)
  await expect(refused({ resourceVersionMatch: 'Exact' })).rejects.toThrow(
    'resourceVersionMatch is forbidden unless resourceVersion is provided',
  )
  await expect(refused({ resourceVersion: '0', resourceVersionMatch: 'Exact' })).rejects.toThrow(
    '"exact" is forbidden for resourceVersion "0"',
  )
})
