import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { realClock } from '#base/time/real-clock.ts'
import { type HttpClient, httpClient } from '#client/http/http-client.ts'
import { Lease, type LeaseSpec } from '#kinds/coordination/v1/lease.ts'
import { LeaseCandidate } from '#kinds/coordination/v1beta1/lease-candidate.ts'
import { type ApiServerProcess, startApiServerProcess } from '../support/api-server-process.ts'
import { type ProgramProcess, startProgram, until, writeKubeconfig } from '../support/program-process.ts'

/* Two schedulers, as who they are by upstream's roles, stand as candidates; the API server elects. */

const GATE = '--feature-gates=CoordinatedLeaderElection=true'
const folder = mkdtempSync(join(tmpdir(), 't8s-election-'))
const kubeconfig = join(folder, 'kubeconfig')
let server: ApiServerProcess
let client: HttpClient
let schedulers: ProgramProcess[]

beforeAll(async () => {
  server = await startApiServerProcess({
    tokens: { admin: ['admin', 'system:masters'], scheduler: ['system:kube-scheduler'] },
    flags: [GATE, '--runtime-config=coordination.k8s.io/v1beta1=true'],
  })
  writeKubeconfig(kubeconfig, 'scheduler', [server])
  client = httpClient({ server: server.url, clock: realClock(), tls: { ca: server.authority }, token: 'admin' })
  schedulers = [1, 2].map(() => startProgram('kube-scheduler', [`--kubeconfig=${kubeconfig}`, '--secure-port=0', GATE]))
}, 60_000)

afterAll(async () => {
  for (const one of schedulers) await one[Symbol.asyncDispose]()
  client[Symbol.dispose]()
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const explain = () => schedulers.map(({ log }) => log().slice(-2000)).join('\n')
const lease = () =>
  client.get(Lease, { namespace: 'kube-system', name: 'kube-scheduler' }).then(
    ({ spec }) => spec,
    () => undefined,
  )
const held = (isWanted: (spec: LeaseSpec) => boolean) => until(lease, spec => Boolean(spec?.holderIdentity) && isWanted(spec!), { explain })
const leaders = () => schedulers.filter(one => one.isAlive() && one.log().includes('"leading"'))

it('one leads by name of its candidacy, and when it ends, the other', async () => {
  await until(
    () => client.list(LeaseCandidate),
    ({ items }) => items.length === 2,
    { explain },
  )
  const first = await held(spec => (spec.leaseDurationSeconds ?? 0) > 5)
  const names = (await client.list(LeaseCandidate)).items.map(({ metadata }) => metadata.name)
  expect(names).toContain(first!.holderIdentity)
  expect(first).toMatchObject({ strategy: 'OldestEmulationVersion' })
  await until(
    async () => leaders().length,
    count => count === 1,
    { explain },
  )
  const [leader] = leaders()
  const ended = once(leader!.child, 'exit')
  leader!.child.kill('SIGTERM')
  await ended
  const second = await held(spec => spec.holderIdentity !== first!.holderIdentity && (spec.leaseDurationSeconds ?? 0) > 5)
  expect(names).toContain(second!.holderIdentity)
  await until(
    async () => leaders().length,
    count => count === 1,
    { explain },
  )
}, 120_000)
