/**
 * What a cluster costs to start and to have: `node tools/bench.mjs cluster`. Needs root for the part with containers, and programs that are
 * built (`npm run build`). Medians of several runs; the cluster with containers is one of its own, taken down at the end.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startCluster } from '../src/testing/testing.ts'

const RUNS = 5
const t8s = join(process.cwd(), 't8s')
const name = `bench${process.pid % 10_000}`
const dataDir = mkdtempSync(join(tmpdir(), 't8s-bench-'))
const call = (...args: string[]) => {
  const { status, stderr } = spawnSync(t8s, [...args, '--name', name, '--data-dir', dataDir], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`t8s ${args.join(' ')} failed: ${stderr}`)
}

await row('startCluster() in a warm process, 1 node', '≤ 300 ms', async () => {
  const before = performance.now()
  const cluster = await startCluster()
  const took = performance.now() - before
  await cluster.stop()
  return took
})

await row('kube-apiserver, process start to /readyz ok', '≤ 1,000 ms', timeToReady)

if (process.getuid?.() === 0) {
  try {
    call('up')
    call('down')
    await row('t8s up, packages and images there, to DNS answering', '≤ 15,000 ms', async () => {
      const before = performance.now()
      call('up')
      const took = performance.now() - before
      call('down')
      return took
    })
    call('up')
    await delay(20_000)
    const pid = readFileSync(join(dataDir, 't8s.pid'), 'utf8').split('\n')[0]!
    const idle = await cpuPercent(pid, 20_000)
    print('CPU of the cluster when idle, one node', '≤ 1 %', `${idle.toFixed(2)} %`)
    print('memory of the cluster when idle (RSS)', '≤ 200 MB', `${memoryMegabytes(pid)} MB`)
  } finally {
    call('down', '--purge')
  }
} else console.log('the part with containers was left out: it needs root')
rmSync(dataDir, { recursive: true, force: true })

async function row(what: string, goal: string, once: () => Promise<number>): Promise<void> {
  const times: number[] = []
  for (let run = 0; run < RUNS; run++) times.push(await once())
  times.sort((a, b) => a - b)
  print(what, goal, `${times[Math.floor(RUNS / 2)]!.toFixed(0)} ms (${times[0]!.toFixed(0)} to ${times.at(-1)!.toFixed(0)})`)
}

function print(what: string, goal: string, found: string): void {
  console.log(`${what.padEnd(58)} ${goal.padStart(12)}   ${found}`)
}

/** A lone API server on the durable store of an empty directory, with certificates that are there already. */
async function timeToReady(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 't8s-ready-'))
  const file = (base: string) => join(directory, base)
  const openssl = (...args: string[]) => spawnSync('openssl', args, { cwd: directory })
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'tls.key',
    '-out',
    'tls.crt',
    '-subj',
    '/CN=localhost',
    '-days',
    '2',
  )
  openssl('genrsa', '-out', 'sa.key', '2048')
  openssl('rsa', '-in', 'sa.key', '-pubout', '-out', 'sa.pub')
  const port = 20_000 + (process.pid % 10_000)
  const flags = [
    `--data-dir=${file('data')}`,
    `--secure-port=${port}`,
    '--bind-address=127.0.0.1',
    `--tls-cert-file=${file('tls.crt')}`,
    `--tls-private-key-file=${file('tls.key')}`,
    `--client-ca-file=${file('tls.crt')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('sa.pub')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    '--authorization-mode=Node,RBAC',
  ]
  const before = performance.now()
  const child = spawn(join(process.cwd(), 'bin/kube-apiserver'), flags, { stdio: 'ignore' })
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error('kube-apiserver ended before it was ready')
    await delay(2)
  }
  const took = performance.now() - before
  child.kill('SIGKILL')
  await new Promise(resolve => child.once('close', resolve))
  rmSync(directory, { recursive: true, force: true })
  return took
}

function isReady(port: number): Promise<boolean> {
  return new Promise(resolve => {
    get({ port, host: '127.0.0.1', path: '/readyz', rejectUnauthorized: false }, response => {
      response.resume()
      resolve(response.statusCode === 200)
    }).on('error', () => resolve(false))
  })
}

async function cpuPercent(pid: string, forMs: number): Promise<number> {
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
  const before = ticks()
  await delay(forMs)
  return ((ticks() - before) * 10 * 100) / forMs
}

function memoryMegabytes(pid: string): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024)
}
