/**
 * What idle connections cost: `bench/connections.bench.ts [how many]`, after `node tools/build.mjs --programs`. Each is a client of its own
 * over TLS and HTTP/2 that has asked once and stays. The server is a process of its own; memory and CPU are its.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { askOn, startApiServerProcess } from '../test/support/api-server-process.ts'

const count = Number(process.argv[2] ?? 10_000)
const AT_A_TIME = 100
const TICK_MS = 10

await using server = await startApiServerProcess({ tokens: { admin: ['admin', 'system:masters'] } })
const pid = server.child.pid!
const probe = await opened()
const row = async (what: string) => {
  const times: number[] = []
  for (let n = 0; n < 500; n++) {
    const begin = performance.now()
    await askOn(probe, 'GET', '/api/v1/namespaces/default', { token: 'admin' })
    times.push(performance.now() - begin)
  }
  times.sort((a, b) => a - b)
  const cpuBefore = cpuMs()
  await delay(5000)
  const idle = ((cpuMs() - cpuBefore) / 5000) * 100
  console.log(`| ${what} | ${memoryMB()} | ${times[250]!.toFixed(2)} | ${times[495]!.toFixed(2)} | ${idle.toFixed(1)} % |`)
}

console.log('| connections | memory MB | GET p50 ms | p99 ms | CPU while idle |\n|---|---|---|---|---|')
await row('1')
const idle: ClientHttp2Session[] = []
while (idle.length < count) idle.push(...(await Promise.all(Array.from({ length: Math.min(AT_A_TIME, count - idle.length) }, opened))))
await row(String(count + 1))
for (const session of idle) session.destroy()
await delay(2000)
await row('1 again')
probe.close()

/** A connection that has said who it is. */
async function opened(): Promise<ClientHttp2Session> {
  const session = connect(server.url, { ca: server.authority })
  await once(session, 'connect')
  const { status } = await askOn(session, 'GET', '/version', { token: 'admin' })
  if (status !== 200) throw new Error(`/version was answered ${status}`)
  return session
}

function memoryMB(): number {
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024)
}

function cpuMs(): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}
