import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pod } from '../pods/pod-samples.ts'
import { openCgroups } from './cgroup-fs.ts'
import { cpuQuotaOf, cpuSharesOf, cpuWeightOf } from './cpu-units.ts'
import { podCgroupOf, podLimitsOf } from './pod-cgroup.ts'

let mount: string

beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), 't8s-cgroup-'))
})
afterEach(() => rmSync(mount, { recursive: true }))

const read = (path: string) => readFileSync(join(mount, path), 'utf8')
const limits = { cpuShares: 512, cpuQuota: 50_000, memoryBytes: 1000, pids: 7 }

describe('control groups of version 1', () => {
  beforeEach(() => {
    for (const controller of ['cpu', 'cpuset', 'memory', 'pids']) mkdirSync(join(mount, controller))
    for (const file of ['cpuset.cpus', 'cpuset.mems']) writeFileSync(join(mount, 'cpuset', file), '0-3\n')
    for (const directory of ['n1', 'n1/kubepods', 'n1/kubepods/podx']) {
      mkdirSync(join(mount, 'cpuset', directory))
      for (const file of ['cpuset.cpus', 'cpuset.mems']) writeFileSync(join(mount, 'cpuset', directory, file), '\n')
    }
  })

  it("are made in every controller below the node's root, with their limits", async () => {
    const cgroups = await openCgroups('/n1', mount)
    expect(cgroups.version).toBe(1)
    await cgroups.create('kubepods/podx', limits)
    expect(read('cpu/n1/kubepods/podx/cpu.shares')).toBe('512')
    expect(read('cpu/n1/kubepods/podx/cpu.cfs_quota_us')).toBe('50000')
    expect(read('memory/n1/kubepods/podx/memory.limit_in_bytes')).toBe('1000')
    expect(read('pids/n1/kubepods/podx/pids.max')).toBe('7')
    expect(read('cpuset/n1/kubepods/podx/cpuset.cpus')).toBe('0-3\n')
    expect(cgroups.absolute('kubepods/podx')).toBe('/n1/kubepods/podx')
    expect(await cgroups.children('kubepods')).toEqual(['podx'])
  })
})

describe('control groups of version 2', () => {
  it('are found by themselves and take the same limits', async () => {
    writeFileSync(join(mount, 'cgroup.controllers'), 'cpu memory pids')
    const cgroups = await openCgroups('/n1', mount)
    expect(cgroups.version).toBe(2)
    await cgroups.create('kubepods/podx', limits)
    expect(read('n1/kubepods/podx/cpu.weight')).toBe('20')
    expect(read('n1/kubepods/podx/cpu.max')).toBe('50000 100000')
    expect(read('n1/kubepods/podx/memory.max')).toBe('1000')
    expect(read('n1/kubepods/podx/pids.max')).toBe('7')
    expect(read('n1/cgroup.subtree_control')).toContain('+memory')
  })

  it('are removed with all below them', async () => {
    writeFileSync(join(mount, 'cgroup.controllers'), '')
    const cgroups = await openCgroups('/n1', mount)
    mkdirSync(join(mount, 'n1/kubepods/podx/container'), { recursive: true })
    await cgroups.remove('kubepods/podx')
    await cgroups.remove('kubepods/podx')
    expect(existsSync(join(mount, 'n1/kubepods/podx'))).toBe(false)
  })
})

describe("a pod's group", () => {
  const resources = { requests: { cpu: '250m', memory: '1Mi' }, limits: { cpu: '500m', memory: '2Mi' } }

  it('is where its class of service is', () => {
    expect(podCgroupOf(pod(['a']))).toBe('kubepods/besteffort/podu1')
    expect(podCgroupOf(pod([{ name: 'a', resources }]))).toBe('kubepods/burstable/podu1')
    expect(podCgroupOf(pod([{ name: 'a', resources: { limits: resources.limits, requests: resources.limits } }]))).toBe('kubepods/podu1')
  })

  it('is limited where every container is', () => {
    expect(podLimitsOf(pod([{ name: 'a', resources }]), 9)).toEqual({ cpuShares: 256, cpuQuota: 50_000, memoryBytes: 2_097_152, pids: 9 })
    expect(podLimitsOf(pod([{ name: 'a', resources }, 'b']), undefined)).toEqual({ cpuShares: 256 })
  })

  it("is counted in the kernel's units", () => {
    expect([cpuSharesOf(0), cpuSharesOf(1000), cpuQuotaOf(1), cpuQuotaOf(1500), cpuWeightOf(1024)]).toEqual([2, 1024, 1000, 150_000, 39])
  })
})
