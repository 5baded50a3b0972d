import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Whether etcd and etcdctl are installed. */
export const hasEtcd = spawnSync('etcd', ['--version']).status === 0 && spawnSync('etcdctl', ['version']).status === 0

/** One member of etcd, without certificates, on ports of its own. */
export interface TestEtcd extends AsyncDisposable {
  readonly url: string
  /** What `etcdctl` prints. */
  etcdctl(...args: string[]): Promise<string>
}

/** Starts it and waits until it answers. */
export async function startEtcd(): Promise<TestEtcd> {
  const directory = mkdtempSync(join(tmpdir(), 't8s-etcd-'))
  const [url, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const flags = {
    '--data-dir': directory,
    '--listen-client-urls': url,
    '--advertise-client-urls': url,
    '--listen-peer-urls': peer,
    '--initial-advertise-peer-urls': peer,
    '--initial-cluster': `default=${peer}`,
  }
  const child = spawn('etcd', Object.entries(flags).flat(), { stdio: 'ignore' })
  const env = { ...process.env, ETCDCTL_API: '3' }
  const etcdctl = async (...args: string[]) =>
    (await promisify(execFile)('etcdctl', ['--endpoints', url, ...args], { env, maxBuffer: 2 ** 28 })).stdout
  const stop = async () => {
    const ended = once(child, 'exit')
    if (child.kill('SIGKILL')) await ended
    rmSync(directory, { recursive: true, force: true })
  }
  for (let attempt = 0; ; attempt++) {
    try {
      await etcdctl('endpoint', 'health')
      break
    } catch (error) {
      if (attempt < 20) continue // each waits for some seconds by itself
      await stop()
      throw error
    }
  }
  return { url, etcdctl, [Symbol.asyncDispose]: stop }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
