import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { realClock } from '#base/time/real-clock.ts'

/** Whether etcd and etcdctl are installed. */
export const hasEtcd = spawnSync('etcd', ['--version']).status === 0 && spawnSync('etcdctl', ['version']).status === 0

/** One member of etcd, on ports of its own. */
export interface TestEtcd extends AsyncDisposable {
  readonly url: string
  /** How programs are told of it: `--etcd-servers` and, where it asks for certificates, their files. */
  readonly flags: readonly string[]
  /** What `etcdctl` prints. */
  etcdctl(...args: string[]): Promise<string>
}

/** Starts it and waits until it answers. With `tls` it refuses whoever does not show a certificate of its authority. */
export async function startEtcd({ tls = false } = {}): Promise<TestEtcd> {
  const directory = mkdtempSync(join(tmpdir(), 't8s-etcd-'))
  const [url, peer] = [`${tls ? 'https' : 'http'}://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const files = tls ? await certificatesIn(directory) : undefined
  const flags = {
    '--data-dir': join(directory, 'data'),
    '--listen-client-urls': url,
    '--advertise-client-urls': url,
    '--listen-peer-urls': peer,
    '--initial-advertise-peer-urls': peer,
    '--initial-cluster': `default=${peer}`,
    ...(files && { '--trusted-ca-file': files.authority, '--cert-file': files.served.certificate, '--key-file': files.served.key }),
  }
  const child = spawn('etcd', [...Object.entries(flags).flat(), ...(tls ? ['--client-cert-auth=true'] : [])], { stdio: 'ignore' })
  const env = { ...process.env, ETCDCTL_API: '3' }
  const shown = files ? ['--cacert', files.authority, '--cert', files.shown.certificate, '--key', files.shown.key] : []
  const etcdctl = async (...args: string[]) =>
    (await promisify(execFile)('etcdctl', ['--endpoints', url, ...shown, ...args], { env, maxBuffer: 2 ** 28 })).stdout
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
  return {
    url,
    flags: [
      ...['--etcd-servers', url],
      ...(files ? ['--etcd-cafile', files.authority, '--etcd-certfile', files.shown.certificate, '--etcd-keyfile', files.shown.key] : []),
    ],
    etcdctl,
    [Symbol.asyncDispose]: stop,
  }
}

/** An authority, what etcd shows, and what its clients show. */
async function certificatesIn(directory: string) {
  const clock = realClock()
  const authority = certificateAuthority(clock, await newAuthority(clock, 'etcd-ca'))
  const write = (name: string, text: string) => {
    const path = join(directory, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const issue = async (commonName: string, usages: readonly ('server' | 'client')[]) => {
    const issued = await authority.issue({ commonName, ipAddresses: ['127.0.0.1'], usages: [...usages], validSeconds: 86_400 })
    return { certificate: write(`${commonName}.crt`, issued.certificate), key: write(`${commonName}.key`, issued.privateKey) }
  }
  const served = await issue('etcd', ['server', 'client'])
  return { authority: write('ca.crt', authority.certificate), served, shown: await issue('store', ['client']) }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
