import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { packagesFor } from '../packages/debian.ts'
import { ensureCgroupRoot, existingCgroups, readCgroups, removeCgroupRoot } from './cgroups.ts'
import { checkMachine, type MachineNeeds } from './check.ts'
import { effectiveCapabilities, type MachineFacts, NODE_PROGRAMS } from './facts.ts'
import { listeningInodes } from './ports.ts'
import { routedNetworks } from './routes.ts'

const facts: MachineFacts = {
  platform: 'linux',
  architecture: 'x64',
  system: 'Debian GNU/Linux 12 (bookworm)',
  systemIds: ['debian'],
  kernel: '6.1.0-18-amd64',
  isRoot: true,
  processors: 2,
  memoryBytes: 4 * 1024 ** 3,
  diskFreeBytes: 20 * 1024 ** 3,
  fileSystem: 0xef53,
  capabilities: new Set(['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_MKNOD', 'CAP_SYS_CHROOT', 'CAP_SYS_RESOURCE']),
  cgroups: { version: 2, controllers: ['cpu', 'memory', 'pids'], mounts: ['/sys/fs/cgroup'] },
  appArmor: true,
  bridgeNetfilter: true,
  systemd: true,
  programs: new Map([...NODE_PROGRAMS, 'cni-plugins'].map(name => [name, `/usr/bin/${name}`])),
}
const needs: MachineNeeds = { realNodes: true, dataDir: '/var/lib/typernetes/default', apiPort: 6443 }
const problems = (changes: Partial<MachineFacts>, more: Partial<MachineNeeds> = {}) =>
  checkMachine({ ...facts, ...changes }, undefined, { ...needs, ...more }).filter(finding => finding.level === 'problem')

describe('checkMachine', () => {
  it('finds nothing wrong with a plain Debian 12', () => {
    expect(checkMachine(facts, undefined, needs).every(finding => finding.level === 'fine')).toBe(true)
  })

  it.each([
    ['another system', { platform: 'darwin' }, /need Linux/],
    ['a plain user', { isRoot: false }, /need root/],
    ['an old kernel', { kernel: '4.19.0' }, /5\.13 or newer.*4\.19\.0/],
    ['no memory controller', { cgroups: { version: 2, controllers: ['cpu', 'pids'], mounts: [] } }, /controllers memory are/],
    ['a full disk', { diskFreeBytes: 10 }, /Only 0\.0 GiB/],
    ['a root without CAP_NET_ADMIN', { capabilities: new Set(['CAP_SYS_ADMIN']) }, /Root lacks CAP_NET_ADMIN/],
    ['no runtime and no apt-get', { programs: new Map(), systemIds: ['fedora'] }, /Missing on this machine: containerd/],
  ] as const)('calls %s a problem and says what to do', (_, changes, words) => {
    const found = problems(changes as Partial<MachineFacts>)
    expect(found.map(finding => finding.what).join()).toMatch(words)
    expect(found.every(finding => finding.remedy)).toBe(true)
  })

  it('asks for neither root nor containers when all nodes are simulated', () => {
    const bare: Partial<MachineFacts> = {
      isRoot: false,
      programs: new Map(),
      capabilities: new Set(),
      cgroups: { version: undefined, controllers: [], mounts: [] },
    }
    expect(problems(bare, { realNodes: false })).toEqual([])
  })

  it('names the program that holds the port', () => {
    const [taken] = checkMachine(facts, { port: 6443, program: 'nc', pid: 7 }, needs).filter(finding => finding.level === 'problem')
    expect(taken?.what).toBe('Port 6443 is taken by nc (process 7)')
  })

  it('only warns of what works in a lesser way', () => {
    const capabilities = new Set([...facts.capabilities].filter(name => name !== 'CAP_SYS_RESOURCE'))
    const found = checkMachine({ ...facts, capabilities, bridgeNetfilter: false }, undefined, needs)
    expect(found.filter(finding => finding.level === 'warning').map(finding => finding.topic)).toEqual(['capabilities', 'br_netfilter'])
  })
})

describe('facts', () => {
  it('reads capabilities from a status file', () => {
    const found = effectiveCapabilities('Name:\tx\nCapEff:\t000001fffeffffff\n')
    expect(found.has('CAP_SYS_ADMIN')).toBe(true)
    expect(found.has('CAP_SYS_RESOURCE')).toBe(false)
  })

  it('finds who listens on a port in the kernel’s table, and no mere connection', () => {
    const table = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0',
      '   1: 0100007F:192B 0100007F:A000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0',
    ].join('\n')
    expect(listeningInodes(table, 6443)).toEqual(['4711'])
  })

  it('reads the networks the machine has routes into, without the default route and without its own bridges', () => {
    const table = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
      't8s-dev\t00001EAC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
    ].join('\n')
    expect(routedNetworks(['t8s-dev'], table)).toEqual(['192.0.2.0/24'])
  })

  it('names each package once', () => {
    expect(packagesFor(['ctr', 'containerd', 'cni-plugins'])).toEqual(['containerd', 'containernetworking-plugins'])
  })
})

describe('cgroups', () => {
  const tree = mkdtempSync(join(tmpdir(), 't8s-cgroups-'))
  afterAll(() => rmSync(tree, { recursive: true }))

  it('takes version 2 when it holds the controllers and version 1 otherwise', () => {
    const unified = join(tree, 'unified')
    mkdirSync(unified)
    writeFileSync(join(unified, 'cgroup.controllers'), 'cpuset cpu io memory pids\n')
    expect(readCgroups(`cgroup2 ${unified} cgroup2 rw 0 0\n`)).toMatchObject({ version: 2, mounts: [unified] })
    writeFileSync(join(unified, 'cgroup.controllers'), 'hugetlb\n')
    const mixed = `cgroup /c/cpu cgroup rw,cpu 0 0\ncgroup /c/memory cgroup rw,memory 0 0\ncgroup2 ${unified} cgroup2 rw 0 0\n`
    expect(readCgroups(mixed)).toEqual({ version: 1, controllers: ['cpu', 'memory'], mounts: ['/c/cpu', '/c/memory', unified] })
  })

  it('hands controllers down, and removes a root with all below it', () => {
    const mount = join(tree, 'v2')
    mkdirSync(mount)
    writeFileSync(join(mount, 'cgroup.controllers'), 'memory\n')
    writeFileSync(join(mount, 'cgroup.subtree_control'), '')
    const cgroups = { version: 2 as const, controllers: ['memory'], mounts: [mount] }
    ensureCgroupRoot(cgroups, '/t8s-x-1')
    expect(readFileSync(join(mount, 'cgroup.subtree_control'), 'utf8')).toBe('+memory')
    mkdirSync(join(mount, 't8s-x-1/kubepods/pod1'), { recursive: true })
    expect(existingCgroups(cgroups, '/t8s-x-1')).toHaveLength(1)
    expect(removeCgroupRoot(cgroups, '/t8s-x-1')).toEqual([])
    expect(existingCgroups(cgroups, '/t8s-x-1')).toEqual([])
  })
})
