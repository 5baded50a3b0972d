import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { realClock } from '#base/time/real-clock.ts'

/** `bin/kube-apiserver` on an embedded store of its own, as a process of its own. */
export interface ApiServerProcess extends AsyncDisposable {
  readonly url: string
  readonly authority: string
  readonly child: ChildProcess
  /** Everything that it has written. */
  log(): string
}

export interface ApiServerProcessOptions {
  /** Who has which token: `token: [user, group, …]`. */
  readonly tokens: Readonly<Record<string, readonly string[]>>
  readonly flags?: readonly string[]
  /** Where it listens; default: loopback. */
  readonly address?: string
  /** Another build of it: a file that node runs. */
  readonly build?: string
}

const program = fileURLToPath(new URL('../../bin/kube-apiserver', import.meta.url))

/** Starts it and waits until it is ready. */
export async function startApiServerProcess(options: ApiServerProcessOptions): Promise<ApiServerProcess> {
  const { address = '127.0.0.1' } = options
  const directory = mkdtempSync(join(tmpdir(), 't8s-apiserver-'))
  const file = (name: string, text: string) => {
    const path = join(directory, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const credential = await newAuthority(realClock(), 'test')
  const issued = await certificateAuthority(realClock(), credential).issue({
    commonName: 'kube-apiserver',
    dnsNames: ['localhost'],
    ipAddresses: [address],
    usages: ['server'],
    validSeconds: 3600,
  })
  const proxies = await newAuthority(realClock(), 'front proxies')
  const keys = newKeyPair()
  const tokens = Object.entries(options.tokens).map(([token, [user, ...groups]]) => `${token},${user},${user},"${groups.join(',')}"\n`)
  const port = await freePort(address)
  const child = spawn(
    options.build ? process.execPath : program,
    [
      ...(options.build ? [options.build] : []),
      `--data-dir=${join(directory, 'data')}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${port}`,
      `--tls-cert-file=${file('tls.crt', issued.certificate)}`,
      `--tls-private-key-file=${file('tls.key', issued.privateKey)}`,
      `--token-auth-file=${file('tokens.csv', tokens.join(''))}`,
      '--authorization-mode=Node,RBAC',
      `--requestheader-client-ca-file=${file('front-proxy-ca.crt', proxies.certificate)}`,
      '--requestheader-username-headers=X-Remote-User',
      '--requestheader-group-headers=X-Remote-Group',
      '--service-account-issuer=https://test',
      `--service-account-signing-key-file=${file('sa.key', keys.privateKey)}`,
      `--service-account-key-file=${file('sa.pub', keys.publicKey)}`,
      ...(options.flags ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (log += text))
  const url = `https://${address}:${port}`
  const server: ApiServerProcess = {
    url,
    authority: credential.certificate,
    child,
    log: () => log,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await Promise.race([once(child, 'exit'), delay(3000).then(() => child.kill('SIGKILL'))])
      }
      rmSync(directory, { recursive: true, force: true })
    },
  }
  for (let tries = 0; tries < 300; tries++) {
    if (child.exitCode !== null) throw new Error(`kube-apiserver ended with ${child.exitCode}:\n${log}`)
    if ((await ask(server, 'GET', '/readyz').catch(() => undefined))?.status === 200) return server
    await delay(100)
  }
  await server[Symbol.asyncDispose]()
  throw new Error(`kube-apiserver was not ready within 30 s:\n${log}`)
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

export interface Question {
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** One request on a connection of its own. */
export async function ask(server: Pick<ApiServerProcess, 'url' | 'authority'>, method: string, path: string, question: Question = {}) {
  const session = connect(server.url, { ca: server.authority })
  try {
    return await askOn(session, method, path, question)
  } finally {
    session.close()
  }
}

/** One request among others of a connection. */
export function askOn(session: ClientHttp2Session, method: string, path: string, { token, body, headers }: Question = {}): Promise<Answer> {
  return new Promise<Answer>((resolve, reject) => {
    session.once('error', reject)
    const stream = session.request({
      ':method': method,
      ':path': path,
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    })
    let answered: Record<string, unknown> = {}
    let text = ''
    stream.setEncoding('utf8')
    stream.on('response', head => {
      answered = head
    })
    stream.on('data', (chunk: string) => {
      text += chunk
    })
    stream.on('end', () => {
      session.off('error', reject)
      resolve({ status: Number(answered[constants.HTTP2_HEADER_STATUS] ?? 0), headers: answered, text })
    })
    stream.on('error', reject)
    stream.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

export async function freePort(address = '127.0.0.1'): Promise<number> {
  const server = createServer()
  server.listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
