import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './api-server-process.ts'

/** One etcd on loopback without TLS, for tests whose subject is something else. */
export interface EtcdProcess extends AsyncDisposable {
  readonly url: string
}

/** Starts it; who connects waits until it answers. */
export async function startEtcd(): Promise<EtcdProcess> {
  const directory = mkdtempSync(join(tmpdir(), 't8s-etcd-'))
  const [url, peerUrl] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const flags = {
    '--data-dir': directory,
    '--listen-client-urls': url,
    '--advertise-client-urls': url,
    '--listen-peer-urls': peerUrl,
    '--initial-advertise-peer-urls': peerUrl,
    '--initial-cluster': `default=${peerUrl}`,
    '--log-level': 'error',
  }
  const child = spawn('etcd', Object.entries(flags).flat(), { stdio: 'ignore' })
  return {
    url,
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
