/** The API server under test: `bin/kube-apiserver` on the durable embedded store, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { realClock } from '#base/time/real-clock.ts'

export interface RunningServer {
  readonly port: number
  readonly process: ChildProcess
  /** From the start of the process until `/readyz` said ok. */
  readonly startSeconds: number
}

/** Starts a server on `directory`, where what it needs beside its data is made once. */
export async function startServer(directory: string, isFirst: boolean): Promise<RunningServer> {
  const at = (name: string) => join(directory, name)
  if (isFirst) await writeCredentials(at)
  const port = await freePort()
  const start = performance.now()
  const process = spawn(
    'bin/kube-apiserver',
    [
      `--data-dir=${at('data')}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--tls-cert-file=${at('tls.crt')}`,
      `--tls-private-key-file=${at('tls.key')}`,
      `--token-auth-file=${at('tokens.csv')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${at('sa.pub')}`,
      `--service-account-signing-key-file=${at('sa.key')}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--endpoint-reconciler-type=none',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (await isReady(port)) return { port, process, startSeconds: (performance.now() - start) / 1000 }
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  process.kill()
  throw new Error('the API server is not ready after 20 s')
}

/** Stops it and waits until it is gone. */
export async function stopServer({ process }: RunningServer): Promise<void> {
  const gone = new Promise(resolve => process.once('close', resolve))
  process.kill()
  await gone
}

async function writeCredentials(at: (name: string) => string): Promise<void> {
  const clock = realClock()
  const authority = await newAuthority(clock, 'bench')
  const tls = await certificateAuthority(clock, authority).issue({
    commonName: 'bench',
    ipAddresses: ['127.0.0.1'],
    usages: ['server'],
    validSeconds: 86_400,
  })
  const keys = newKeyPair()
  writeFileSync(at('tls.crt'), tls.certificate)
  writeFileSync(at('tls.key'), tls.privateKey)
  writeFileSync(at('tokens.csv'), 'token,admin,u-admin,"system:masters"\n')
  writeFileSync(at('sa.pub'), keys.publicKey)
  writeFileSync(at('sa.key'), keys.privateKey)
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function isReady(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
    session.on('error', () => resolve(false))
    const stream = session.request({ ':path': '/readyz', authorization: 'Bearer token' })
    stream.on('error', () => resolve(false))
    stream.on('response', ({ ':status': status }) => {
      resolve(status === 200)
      session.close()
    })
    stream.resume()
  })
}
