import { describe, expect, it } from 'vitest'
import { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { ResourceQuota } from '#kinds/core/v1/resource-quota.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { int64, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { startCluster, type TestCluster } from './testing.ts'

const DatabaseSpec = message('com.example.v1.DatabaseSpec', { engine: omitempty(undefined, string), size: omitempty(undefined, int64) })
interface Database extends ObjectWith<{ spec: StoredOf<typeof DatabaseSpec> }> {}
const Database = defineKind({
  group: 'example.com',
  version: 'v1',
  kind: 'Database',
  plural: 'databases',
  scope: 'Namespaced',
  openapi: 'com.example.v1',
  spec: DatabaseSpec,
})
const definition = {
  metadata: { name: 'databases.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'databases', kind: 'Database' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { engine: { type: 'string', default: 'postgres' }, size: { type: 'integer' } } },
            },
          },
        },
      },
    ],
  },
} as const

const withDatabases = async (use: (cluster: TestCluster) => Promise<void>) => {
  await using cluster = await startCluster({ nodes: 0 })
  const { client } = cluster
  await client.create(CustomResourceDefinition, definition as never)
  await cluster.until(async () => {
    const { status } = await client.get(CustomResourceDefinition, { name: 'databases.example.com' })
    return status.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True') ?? false
  })
  await use(cluster)
}
const inDefault = (name: string) => ({ namespace: 'default', name })
const isGone = (answer: Promise<unknown>) =>
  answer.then(
    () => false,
    (error: unknown) => isNotFound(error),
  )

describe('a kind declared in TypeScript, against its definition', () => {
  it('is read and written with the client, and followed by an informer', () =>
    withDatabases(async ({ client, informers, until }) => {
      const made: Database = await client.create(Database, { metadata: inDefault('a'), spec: { size: 1 } })
      expect(made.spec).toEqual({ engine: 'postgres', size: 1 })
      const databases = informers.of(Database)
      await databases.synced()
      expect(databases.list().map(({ spec }) => spec.engine)).toEqual(['postgres'])
      await client.patch(Database, inDefault('a'), { type: 'merge', body: { spec: { size: 2 } } })
      await until(() => databases.get('default', 'a')?.spec.size === 2)
    }))

  it('owns what is collected with it', () =>
    withDatabases(async ({ client, until }) => {
      const owner = await client.create(Database, { metadata: inDefault('a'), spec: {} })
      const { uid = '', name = '' } = owner.metadata
      const ownerReferences = [{ apiVersion: 'example.com/v1', kind: 'Database', name, uid }]
      await client.create(ConfigMap, { metadata: { ...inDefault('owned'), ownerReferences } })
      await client.create(Database, { metadata: { ...inDefault('replica'), ownerReferences }, spec: {} })
      await client.delete(Database, inDefault('a'))
      await until(() => isGone(client.get(ConfigMap, inDefault('owned'))))
      await until(() => isGone(client.get(Database, inDefault('replica'))))
    }))

  it('goes with its namespace', () =>
    withDatabases(async ({ client, until }) => {
      await client.create(Namespace, { metadata: { name: 'team' } })
      await client.create(Database, { metadata: { namespace: 'team', name: 'a' }, spec: {} })
      await client.delete(Namespace, { name: 'team' })
      await until(() => isGone(client.get(Namespace, { name: 'team' })))
      expect((await client.list(Database)).items).toEqual([])
    }))

  it('counts against a quota', () =>
    withDatabases(async ({ client, until }) => {
      const hard = { 'count/databases.example.com': '1' }
      await client.create(ResourceQuota, { metadata: inDefault('few'), spec: { hard } })
      await until(async () => (await client.get(ResourceQuota, inDefault('few'))).status.hard !== undefined)
      await client.create(Database, { metadata: inDefault('a'), spec: {} })
      await until(() =>
        client.create(Database, { metadata: inDefault('b'), spec: {} }, { dryRun: true }).then(
          () => false,
          (error: Error) => error.message.includes('exceeded quota: few, requested: count/databases.example.com=1'),
        ),
      )
      await until(async () => (await client.get(ResourceQuota, inDefault('few'))).status.used?.['count/databases.example.com'] === '1')
    }))
})
