import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { allocate } from './allocation.ts'
import { lockCluster, readAllocation, whereabouts, writeAllocation } from './data-directory.ts'
import { readMachineRecord, withCluster, withoutCluster, writeMachineRecord } from './machine-record.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 't8s-layout-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('whereabouts', () => {
  it('are in /var/lib for root and in the state directory of anyone else', () => {
    expect(whereabouts({}, {}, true)).toEqual({ name: 'default', stateDir: '/var/lib/typernetes', dataDir: '/var/lib/typernetes/default' })
    const own = whereabouts({ name: 'dev' }, { XDG_STATE_HOME: '/home/me/state' }, false)
    expect(own).toEqual({ name: 'dev', stateDir: '/home/me/state/typernetes', dataDir: '/home/me/state/typernetes/dev' })
  })

  it('take the directory the user names', () => {
    expect(whereabouts({ dataDir: '/srv/cluster' }, {}, true)).toMatchObject({ name: 'default', dataDir: '/srv/cluster' })
  })
})

describe('an allocation', () => {
  it('is read as it was written', () => {
    const allocation = allocate({ name: 'dev', nodes: 2 }, undefined, { networks: [], blocks: [], ids: [], apiPorts: [] })
    expect(readAllocation(folder)).toBeUndefined()
    writeAllocation(folder, allocation)
    expect(readAllocation(folder)).toEqual(allocation)
  })

  it('that cannot be read is said to be so, and never replaced', () => {
    writeFileSync(join(folder, 'cluster.json'), '{"version": 7}')
    expect(() => readAllocation(folder)).toThrow(/cannot be read as a cluster of this version: restore it/)
  })
})

describe('the lock of a cluster', () => {
  it('turns a second command away with a sentence', async () => {
    await using _held = await lockCluster(folder)
    await expect(lockCluster(folder)).rejects.toThrow(/Another t8s command is at work/)
  })
})

describe('the record of a machine', () => {
  const cluster = { name: 'dev', id: 'dev', block: 1, apiPort: 6444, dataDir: '/d', up: true }

  it('holds one entry per name', () => {
    const once = withCluster({ clusters: [] }, cluster)
    expect(withCluster(once, { ...cluster, up: false }).clusters).toEqual([{ ...cluster, up: false }])
  })

  it('leaves neither file nor directory when it says nothing any more', () => {
    const stateDir = join(folder, 'state')
    writeMachineRecord(stateDir, { clusters: [cluster] })
    expect(readMachineRecord(stateDir)).toEqual({ clusters: [cluster] })
    writeMachineRecord(stateDir, withoutCluster(readMachineRecord(stateDir), 'dev'))
    expect(existsSync(stateDir)).toBe(false)
    expect(readMachineRecord(stateDir)).toEqual({ clusters: [] })
  })
})
