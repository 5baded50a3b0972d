import { describe, expect, it } from 'vitest'
import type { StorageVersion } from '#kinds/apiserverinternal/v1alpha1/storage-version.ts'
import { planPruning } from './storageversion-garbage-collector.ts'

const version = (...servers: readonly [id: string, encoding: string][]) =>
  ({
    metadata: { name: 'apps.deployments' },
    status: { storageVersions: servers.map(([apiServerID, encodingVersion]) => ({ apiServerID, encodingVersion })) },
  }) as unknown as StorageVersion

describe('what is left of a storage version', () => {
  it('is all of it while every server lives, and nothing once none does', () => {
    expect(planPruning(version(['a', 'v1'], ['b', 'v2']), new Set(['a', 'b']), 0)).toBe('keep')
    expect(planPruning(version(['a', 'v1'], ['b', 'v2']), new Set(['c']), 0)).toBe('delete')
  })

  it('is what the living say, with what they have in common', () => {
    expect(planPruning(version(['a', 'v1'], ['b', 'v2'], ['c', 'v1']), new Set(['a', 'c']), 0)).toMatchObject({
      storageVersions: [{ apiServerID: 'a' }, { apiServerID: 'c' }],
      commonEncodingVersion: 'v1',
      conditions: [{ type: 'AllEncodingVersionsEqual', status: 'True', reason: 'CommonEncodingVersionSet' }],
    })
    const apart = planPruning(version(['a', 'v1'], ['b', 'v2'], ['c', 'v1']), new Set(['a', 'b']), 0)
    expect(apart).toMatchObject({ conditions: [{ status: 'False', reason: 'CommonEncodingVersionUnset' }] })
    expect((apart as { commonEncodingVersion?: string }).commonEncodingVersion).toBeUndefined()
  })
})
