import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { endProcess, type RunningProcess, startDetached } from '#base/process/running-process.ts'
import { withNodeCri } from '#cluster/containerd/node-cri.ts'
import { runtimeTraits, startNodeRuntime, stopNodeRuntime } from '#cluster/containerd/node-runtime.ts'
import { buildImage } from '#cluster/images/archive.ts'
import { pauseImage } from '#cluster/images/builtin.ts'
import { addRegistry } from '#cluster/images/registries.ts'
import { type PreparedMachine, prepareMachine, releaseMachine } from '#cluster/machine/prepare.ts'
import { ensureNetwork, removeNetwork } from '#cluster/network/network.ts'
import { silentProgress } from '#cluster/progress/progress.ts'
import { residue } from '#cluster/residue.ts'

/* Two registries on the machine's loopback address, one of them with a password, and a node that pulls from them. */

const folder = mkdtempSync(join(tmpdir(), 't8s-pull-'))
const name = `pl${process.pid % 10_000}`
const where = { name, dataDir: join(folder, 'data'), stateDir: join(folder, 'state') }
const [open, closed] = [15_011, 15_012]
const registries: RunningProcess[] = []
let machine: PreparedMachine

beforeAll(async () => {
  const image = await buildImage(await pauseImage('x64', ''), join(folder, 'image.tar'))
  registries.push(await startRegistry(open, ''), await startRegistry(closed, passwords()))
  await push(image.file, `127.0.0.1:${open}/team/web:1`)
  await push(image.file, `127.0.0.1:${closed}/team/web:1`, 'me:secret')
  machine = await prepareMachine(where, { name, apiPort: 16_601 }, silentProgress)
  for (const port of [open, closed]) addRegistry(machine.layout, `127.0.0.1:${port}`)
  await ensureNetwork(machine.layout)
  await startNodeRuntime(machine.layout, machine.layout.nodes[0]!, runtimeTraits(machine.facts))
})

afterAll(async () => {
  for (const registry of registries) await endProcess(registry)
  for (const node of machine.layout.nodes) await stopNodeRuntime(machine.layout, node, runtimeTraits(machine.facts))
  await removeNetwork(machine.layout)
  await releaseMachine(where, { purge: true })
  expect(await residue(machine.layout)).toEqual([])
  rmSync(folder, { recursive: true, force: true })
})

describe('a node', () => {
  const pull = (image: string, auth?: { username: string; password: string }) =>
    withNodeCri(machine.layout.nodes[0]!, runtime => runtime.pullImage(image, auth, undefined))

  it("pulls from a registry on the machine's loopback address", async () => {
    expect(await pull(`127.0.0.1:${open}/team/web:1`)).toMatch(/^sha256:/)
  })

  it('pulls by the name of another host once it was told where that is', async () => {
    addRegistry(machine.layout, 'registry.example.com', `http://127.0.0.1:${open}`)
    expect(await pull('registry.example.com/team/web:1')).toMatch(/^sha256:/)
  })

  it('pulls with a password, and not without', async () => {
    await expect(pull(`127.0.0.1:${closed}/team/web:1`)).rejects.toThrow(/401|authorization/i)
    expect(await pull(`127.0.0.1:${closed}/team/web:1`, { username: 'me', password: 'secret' })).toMatch(/^sha256:/)
  })

  it('says so when there is no such image', async () => {
    await expect(pull(`127.0.0.1:${open}/team/none:1`)).rejects.toThrow(/not found/)
  })
})

async function startRegistry(port: number, auth: string): Promise<RunningProcess> {
  const config = join(folder, `${port}.yml`)
  const text = `version: 0.1
storage: {filesystem: {rootdirectory: ${folder}/registry-${port}}}
http: {addr: "127.0.0.1:${port}", secret: x}
${auth}`
  writeFileSync(config, text)
  const started = await startDetached('docker-registry', ['serve', config], { logFile: join(folder, `${port}.log`) })
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined)
    if (answer) return started
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** `me:secret`, hashed by `htpasswd -nbB`. */
function passwords(): string {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'passwords'), 'me:$2y$05$Hx97ueWrBrgRDaV/1lBU9.qnRIZQS7YXfODcJ2dYSR4K5JUyEy.Ga\n')
  return `auth: {htpasswd: {realm: test, path: ${folder}/passwords}}\n`
}

const push = (archive: string, image: string, credentials?: string) =>
  run('skopeo', [
    'copy',
    '--dest-tls-verify=false',
    ...(credentials ? ['--dest-creds', credentials] : []),
    `oci-archive:${archive}`,
    `docker://${image}`,
  ])
