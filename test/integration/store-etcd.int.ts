import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { systemRandom } from '#base/random/system-random.ts'
import { sleep } from '#base/time/clock.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { EtcdAddress } from '#store/etcd/etcd-channel.ts'
import { EtcdStore } from '#store/etcd/etcd-store.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { restoreInto, takeSnapshot } from '#store/snapshot/snapshot.ts'
import { bytes, storeSuite, text, watch } from '#store/store.suite.ts'
import { everyKey, prefix } from '#store/store.ts'
import { CompactedError, UnavailableError } from '#store/store-errors.ts'

/* The store over real etcd: three members with TLS and client certificates. */

const hasEtcd = spawnSync('etcd', ['--version']).status === 0
const folder = mkdtempSync(join(tmpdir(), 'store-etcd-'))
const clock = realClock()
let cluster: EtcdCluster

describe.skipIf(!hasEtcd)('with etcd (skipped where it is not installed)', () => {
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterAll(async () => {
    await cluster.stop()
    rmSync(folder, { recursive: true })
  })

  storeSuite('etcd', async () => {
    const store = cluster.connect()
    return { store, advance: ms => sleep(clock, ms), close: () => store.close() }
  })

  it('goes on with the next member when one is killed: reads, writes and watches', async () => {
    const store = cluster.connect()
    const put = (n: number) => store.txn({ success: [{ type: 'put', key: `/failover/${n}`, value: bytes(String(n)) }] })
    const { revision } = await put(0)
    using seen = watch(store, { ...prefix('/failover/'), revision })
    await seen.until(1)
    await cluster.kill(0)
    let unknown = 0
    for (let n = 1; n <= 50; n++) {
      for (;;) {
        const failure = await put(n).then(
          () => undefined,
          (error: unknown) => error,
        )
        if (!failure) break
        expect(failure).toBeInstanceOf(UnavailableError)
        unknown++
        await sleep(clock, 50)
      }
    }
    const { kvs } = await store.range(prefix('/failover/'))
    expect(kvs.length).toBe(51)
    await seen.until(51)
    const values = seen.events.map(event => Number(text(event.kv.value)))
    expect(new Set(values).size).toBe(51)
    const revisions = seen.events.map(event => event.kv.modRevision)
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
    expect(unknown).toBeLessThan(100)
    await cluster.start(0)
    await store.close()
  })

  it('goes on with the next member when one falls silent: reads, writes, watches and leases', async () => {
    const store = cluster.connect()
    const put = (n: number) => store.txn({ success: [{ type: 'put', key: `/silent/${n}`, value: bytes(String(n)) }] })
    const { revision } = await put(0)
    const { id } = await store.grantLease(600)
    using seen = watch(store, { ...prefix('/silent/'), revision })
    await seen.until(1)
    const startMs = performance.now()
    cluster.pause(0)
    try {
      await Promise.all([
        store.range({ key: '/silent/0' }),
        seen.begun(),
        ...[() => put(1), () => store.keepLeaseAlive(id)].map(async ask => {
          // Whether it happened is not known: that is for who asked to decide.
          while ((await ask().catch((error: unknown) => error)) instanceof UnavailableError) await sleep(clock, 50)
        }),
      ])
      await seen.until(2)
      // A connection to who is silent stands for 15 seconds, a call for 10; an election takes one to three.
      expect(performance.now() - startMs).toBeLessThan(8_000)
    } finally {
      cluster.resume(0)
      await store.close()
    }
  })

  it('takes the snapshot of another engine', async () => {
    const memory = new MemoryStore({ clock })
    const { id } = await memory.grantLease(600)
    for (let n = 0; n < 250; n++) {
      await memory.txn({ success: [{ type: 'put', key: `/moved/${n}`, value: bytes(String(n)), lease: n === 7 ? id : 0 }] })
    }
    const store = cluster.connect()
    const everything = await store.range({ ...everyKey, keysOnly: true })
    for (const { key } of everything.kvs) await store.txn({ success: [{ type: 'delete', key }] })
    const snapshot = await takeSnapshot(memory)
    await restoreInto(store, snapshot, 600)
    const again = await takeSnapshot(store)
    expect(again.kvs.map(kv => [kv.key, text(kv.value)])).toEqual(snapshot.kvs.map(kv => [kv.key, text(kv.value)]))
    expect(again.kvs.filter(kv => kv.lease !== 0).map(kv => kv.key)).toEqual(['/moved/7'])
    await memory.close()
    await store.close()
  })

  it('goes on when certificates are renewed while it runs: its own and those of the members', async () => {
    const store = cluster.connect()
    const put = (n: number) => store.txn({ success: [{ type: 'put', key: `/renewed/${n}`, value: bytes(String(n)) }] })
    const { revision } = await put(0)
    using seen = watch(store, { ...prefix('/renewed/'), revision })
    await seen.until(1)
    const before = await cluster.shownBy(0)
    store.useCertificate(await cluster.renew())
    await put(1)
    await seen.until(2)
    expect(await cluster.shownBy(0)).not.toBe(before) // etcd reads its files for each connection
    using again = watch(store, { ...prefix('/renewed/'), revision })
    await again.until(2)
    expect((await store.range(prefix('/renewed/'))).kvs).toHaveLength(2)
    await store.close()
  })

  it('knows how far somebody else has compacted', async () => {
    const [one, other] = [cluster.connect(), cluster.connect()]
    const put = async (n: number) => (await one.txn({ success: [{ type: 'put', key: '/compacted', value: bytes(String(n)) }] })).revision
    for (let n = 0; n < 20; n++) await put(n)
    for (let round = 0; round < 2; round++) {
      const kept = await put(20)
      for (let n = 0; n < 5; n++) await put(n)
      await one.compact(kept)
      expect((await other.status()).compactRevision).toBe(kept)
      await expect(other.range({ key: '/compacted', revision: kept - 1 })).rejects.toBeInstanceOf(CompactedError)
    }
    await Promise.all([one.close(), other.close()])
  })

  it('says that no member can be reached', async () => {
    const well = cluster.connect()
    expect(await well.problems()).toEqual([])
    await well.close()
    const store = new EtcdStore({ endpoints: ['http://127.0.0.1:1'], clock, random: systemRandom() })
    await expect(store.problems()).rejects.toBeInstanceOf(UnavailableError)
    const error = await store.range({ key: 'a' }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'unavailable',
      outcomeUnknown: false,
      message: expect.stringContaining('no etcd member can be reached'),
    })
    await store.close()
  })

  it('is refused without a client certificate', async () => {
    const store = cluster.connect(false)
    await expect(store.range({ key: 'a' })).rejects.toBeInstanceOf(UnavailableError)
    await store.close()
  })
})

interface EtcdCluster {
  connect(withCertificate?: boolean): EtcdStore
  /** New certificates for the members, in their files, and one for a client. */
  renew(): Promise<NonNullable<EtcdAddress['tls']>>
  /** The number of the certificate that a member shows. */
  shownBy(member: number): Promise<string>
  kill(member: number): Promise<void>
  /** The member says nothing any more, and its connections stand. */
  pause(member: number): void
  resume(member: number): void
  start(member: number): Promise<void>
  stop(): Promise<void>
}

async function startCluster(): Promise<EtcdCluster> {
  const authority = certificateAuthority(clock, await newAuthority(clock, 'etcd-ca'))
  const issue = (commonName: string, usages: ('server' | 'client')[]) =>
    authority.issue({ commonName, ipAddresses: ['127.0.0.1'], dnsNames: ['localhost'], usages, validSeconds: 86_400 })
  const served = await issue('etcd', ['server', 'client'])
  const shown = await issue('store', ['client'])
  const path = (name: string, content: string) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
    return join(folder, name)
  }
  const ca = path('ca.crt', authority.certificate)
  const cert = path('server.crt', served.certificate)
  const key = path('server.key', served.privateKey)
  const members = await Promise.all([0, 1, 2].map(async n => ({ name: `m${n}`, client: await freePort(), peer: await freePort() })))
  const initial = members.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',')
  const running: ChildProcess[] = []
  const startMember = (n: number, state: 'new' | 'existing') => {
    const { name, client, peer } = members[n]!
    const clientUrl = `https://127.0.0.1:${client}`
    const peerUrl = `http://127.0.0.1:${peer}`
    const flags = {
      '--name': name,
      '--data-dir': join(folder, name),
      '--listen-client-urls': clientUrl,
      '--advertise-client-urls': clientUrl,
      '--listen-peer-urls': peerUrl,
      '--initial-advertise-peer-urls': peerUrl,
      '--initial-cluster': initial,
      '--initial-cluster-state': state,
      '--logger': 'zap',
      '--log-level': 'error',
      '--trusted-ca-file': ca,
      '--cert-file': cert,
      '--key-file': key,
    }
    running[n] = spawn('etcd', ['--client-cert-auth', ...Object.entries(flags).flat()], { stdio: 'ignore' })
  }
  for (const n of members.keys()) startMember(n, 'new')
  const endpoints = members.map(({ client }) => `https://127.0.0.1:${client}`)
  const connect = (withCertificate = true) => {
    const tls = { authority: authority.certificate, certificate: shown.certificate, privateKey: shown.privateKey }
    if (withCertificate) return new EtcdStore({ endpoints, tls, clock, random: systemRandom() })
    return new EtcdStore({ endpoints, clock, random: systemRandom() })
  }
  const ready = async () => {
    const store = connect()
    for (let attempt = 0; ; attempt++) {
      const failure = await store
        .txn({ success: [{ type: 'put', key: '/ready', value: bytes('') }] })
        .catch((error: unknown) => error as Error)
      if (!(failure instanceof Error)) break
      if (attempt > 100) throw failure
      await sleep(clock, 100)
    }
    await store.close()
  }
  const kill = async (n: number) => {
    const ended = new Promise(resolve => running[n]!.once('close', resolve))
    running[n]!.kill('SIGKILL')
    await ended
  }
  await ready()
  return {
    connect,
    async renew() {
      const next = await issue('etcd', ['server', 'client'])
      path('server.key', next.privateKey)
      path('server.crt', next.certificate)
      return { authority: authority.certificate, ...(await issue('store', ['client'])) }
    },
    shownBy: member =>
      new Promise((resolve, reject) => {
        const tls = { ca: authority.certificate, cert: shown.certificate, key: shown.privateKey }
        const socket = connectTls({ host: '127.0.0.1', port: members[member]!.client, ...tls }, () => {
          resolve(socket.getPeerX509Certificate()!.serialNumber)
          socket.destroy()
        })
        socket.once('error', reject)
      }),
    kill,
    pause: n => void running[n]!.kill('SIGSTOP'),
    resume: n => void running[n]!.kill('SIGCONT'),
    async start(n) {
      startMember(n, 'existing')
      await ready()
    },
    async stop() {
      await Promise.all(running.map((_, n) => kill(n)))
    },
  }
}

function freePort(): Promise<number> {
  return new Promise(resolve => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
