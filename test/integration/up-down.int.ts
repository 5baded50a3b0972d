import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { endProcess, sendSignal } from '#base/process/running-process.ts'
import { type BringUpRequest, bringUp, takeDown } from '#cluster/bring-up.ts'
import { PAUSE_IMAGE } from '#cluster/containerd/config.ts'
import { findContainerd } from '#cluster/containerd/containerd-processes.ts'
import { withNodeCri } from '#cluster/containerd/node-cri.ts'
import { clusterProcess } from '#cluster/control-plane-process.ts'
import { buildImage } from '#cluster/images/archive.ts'
import { filesOfFolder } from '#cluster/images/folder.ts'
import { keepArchive } from '#cluster/images/image-store.ts'
import { loadArchive } from '#cluster/images/load.ts'
import { readAllocation } from '#cluster/layout/data-directory.ts'
import { layoutOf } from '#cluster/layout/layout.ts'
import { silentProgress } from '#cluster/progress/progress.ts'
import { residue } from '#cluster/residue.ts'

/* The steps of `t8s up` and `t8s down` around a process that stands for the cluster's: it says that it is ready, and waits. */

const folder = mkdtempSync(join(tmpdir(), 't8s-up-'))
const stateDir = join(folder, 'state')
const program = join(folder, 'program.cjs')
const name = `up${process.pid % 10_000}`
const other = `vp${process.pid % 10_000}`
const whereOf = (cluster: string) => ({ name: cluster, dataDir: join(folder, cluster), stateDir })
const request = (cluster: string, more: Partial<BringUpRequest> = {}): BringUpRequest => ({
  name: cluster,
  apiPort: cluster === name ? 16_501 : 16_502,
  program,
  programArgs: () => [],
  ...more,
})
const up = (cluster: string, more?: Partial<BringUpRequest>) => bringUp(whereOf(cluster), request(cluster, more), silentProgress)
const down = (cluster: string, purge = false) => takeDown(whereOf(cluster), { purge }, silentProgress)
const layout = (cluster: string) => layoutOf(readAllocation(whereOf(cluster).dataDir)!, whereOf(cluster).dataDir)

beforeAll(() => {
  writeFileSync(program, `require('fs').writeSync(3, '{"event":"ready"}\\n'); setInterval(() => {}, 1000)`)
})

afterAll(async () => {
  for (const cluster of [name, other]) await down(cluster, true)
  rmSync(folder, { recursive: true, force: true })
})

describe('up and down', () => {
  it('bring a cluster up, and change nothing the second time', async () => {
    const first = await up(name)
    const process = clusterProcess(first)
    const containerd = findContainerd(first.nodes[0]!)
    expect(process).toBeDefined()
    expect(await up(name)).toEqual(first)
    expect(clusterProcess(first)).toEqual(process)
    expect(findContainerd(first.nodes[0]!)).toEqual(containerd)
  })

  it('bring it back after its process was killed, with the same addresses', async () => {
    const before = layout(name)
    const killed = clusterProcess(before)!
    sendSignal(killed, 'SIGKILL')
    await endProcess(killed)
    expect(await up(name)).toEqual(before)
    expect(clusterProcess(before)?.pid).not.toBe(killed.pid)
  })

  it('bring it back after a reboot, which leaves only files', async () => {
    const before = layout(name)
    const [node] = before.nodes as [(typeof before.nodes)[0]]
    const image = await withNodeCri(node, runtime => runtime.imageStatus(PAUSE_IMAGE))
    for (const running of [clusterProcess(before)!, findContainerd(node)!]) await endProcess(running, 0)
    await run('umount', [node.kubeletDir])
    await run('ip', ['netns', 'delete', node.netns])
    await run('ip', ['link', 'delete', before.bridge])
    writeFileSync(node.netnsPath, '') // where /run is on a disk, the name is still there
    writeFileSync(before.pidFile, `${process.pid}\n1 another-boot\n`)
    writeFileSync(node.containerd.pidFile, `${process.pid}\n1 another-boot\n`)
    expect(await up(name)).toEqual(before)
    expect(await withNodeCri(node, runtime => runtime.imageStatus(PAUSE_IMAGE))).toEqual(image)
  })

  it('add a node, which gets the images that were loaded before it came, and take it away again', async () => {
    const files = join(folder, 'files')
    mkdirSync(files)
    writeFileSync(join(files, 'page'), 'hello')
    const image = await buildImage({ reference: 'example.com/page:1', layers: [filesOfFolder(files)] }, join(folder, 'page.tar'))
    await loadArchive(layout(name).nodes[0]!, keepArchive(layout(name), image.file))
    const two = await up(name, { nodes: 2 })
    for (const node of two.nodes) {
      const found = await withNodeCri(node, runtime => runtime.imageStatus('example.com/page:1'))
      expect(found).toMatchObject({ id: image.configDigest, repoDigests: [`example.com/page@${image.manifestDigest}`] })
    }
    await up(name, { nodes: 1 })
    expect(findContainerd(two.nodes[1]!)).toBeUndefined()
    expect(await residue({ ...two, nodes: two.nodes.slice(1), pidFile: '' })).not.toContain(`network namespace ${two.nodes[1]!.netns}`)
  })

  it('keep two clusters apart, and take one down while the other goes on', async () => {
    const second = await up(other)
    const first = layout(name)
    expect(second.podCidr).not.toBe(first.podCidr)
    expect(second.nodePortRange).not.toBe(first.nodePortRange)
    await down(other)
    expect(await residue(second)).toEqual([])
    expect(clusterProcess(first)).toBeDefined()
    expect(await withNodeCri(first.nodes[0]!, runtime => runtime.status())).toContainEqual(
      expect.objectContaining({ type: 'NetworkReady', status: true }),
    )
  })

  it('say in one sentence that the port is taken, before anything is changed', async () => {
    const taken = { name: 'third', apiPort: 16_501, program, programArgs: () => [] }
    const server = (await import('node:net')).createServer().listen(16_501, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const where = whereOf('third')
    await expect(bringUp(where, taken, silentProgress)).rejects.toThrow(
      /^Port 16501 is taken by \S+ \(process \d+\): end that program, or choose another port with --port$/,
    )
    expect(existsSync(where.dataDir)).toBe(false)
    server.close()
  })

  it('say what the process said last when it ends before it is ready, and leave it marked as ended', async () => {
    const broken = join(folder, 'broken.cjs')
    writeFileSync(broken, `throw new Error('the store is damaged')`)
    await expect(up(other, { program: broken })).rejects.toThrow(/ended before it was ready \(Error: the store is damaged\)/)
    expect(clusterProcess(layout(other))).toBeUndefined()
  })

  it('leave neither a process nor a file with --purge', async () => {
    const layouts = [layout(name), layout(other)]
    for (const cluster of [name, other]) await down(cluster, true)
    for (const cluster of layouts) expect(await residue(cluster)).toEqual([])
    expect(readdirSync(folder).sort()).toEqual(['broken.cjs', 'files', 'page.tar', 'program.cjs'])
    expect(await down(name)).toBe('absent')
  })
})
