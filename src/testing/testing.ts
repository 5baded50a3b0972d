import '#base/time/dispose.ts'
import type { Logger } from '#base/log/logger.ts'
import { silentLogger } from '#base/log/logger.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { type Random, seededRandom } from '#base/random/random.ts'
import { systemRandom } from '#base/random/system-random.ts'
import type { Clock } from '#base/time/clock.ts'
import { sleep } from '#base/time/clock.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { Client } from '#client/client.ts'
import type { UserInfo } from '#client/direct/api-handler.ts'
import type { Informers } from '#client/informers/informer.ts'
import { startControlPlane } from '#cluster/components/control-plane.ts'
import { startSimulatedNodes } from '#kubelet/runtime/simulated/simulated-nodes.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import type { Store } from '#store/store.ts'

export { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'

export interface TestClusterOptions {
  /** How many simulated nodes there are; 1 unless said otherwise. */
  readonly nodes?: number
  /** What each node has, as a node's status says it: `{ cpu: '4', memory: '8Gi', pods: '110' }`. */
  readonly nodeCapacity?: Readonly<Record<string, string>>
  /** The machine's clock unless said otherwise; with a `virtualClock()` time passes only when the test lets it. */
  readonly clock?: Clock
  /** The same seed gives the same names and choices. */
  readonly seed?: number
  /** Where the cluster is kept: a store in memory of its own unless said otherwise. One that is given outlives the cluster. */
  readonly store?: Store
  /** APIs to serve or not beside the usual, as `--runtime-config` says it: `{ 'storagemigration.k8s.io/v1beta1': true }`. */
  readonly runtimeConfig?: Readonly<Record<string, boolean>>
  /** Feature gates to turn on or off, in API server, controllers and scheduler, as `--feature-gates` says it: `{ StorageVersionMigrator: true }`. */
  readonly featureGates?: Readonly<Record<string, boolean>>
  /** Nothing is logged unless said otherwise. */
  readonly log?: Logger
}

/** A cluster in this process: API server, controllers and scheduler on a store in memory, with simulated nodes. */
export interface TestCluster extends AsyncDisposable {
  /** Acts as the cluster's administrator. */
  readonly client: Client
  /** Caches of everything, shared with the cluster's own components. */
  readonly informers: Informers
  /** Acts as anybody: authorization and admission apply as over the wire. */
  clientFor(user: UserInfo): Client
  /** Resolves once `condition` does to true; it is asked again after each short while of the cluster's clock. Rejects after `timeoutMs`. */
  until(condition: () => boolean | Promise<boolean>, timeoutMs?: number): Promise<void>
  /** Ends the cluster; no timer and no watcher is left. Rejects if its API server showed something else than the store holds. */
  stop(): Promise<void>
}

const UNTIL_TIMEOUT_MS = 10_000
const UNTIL_PAUSE_MS = 5

/** Starts a cluster inside a test, in some tens of milliseconds; it needs no root, no network and no other program. */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { nodes = 1, nodeCapacity, clock = realClock(), seed, log = silentLogger, runtimeConfig = {}, featureGates = {} } = options
  const random: Random = seed === undefined ? systemRandom() : seededRandom(seed)
  const own = options.store ? undefined : new MemoryStore({ clock })
  const store = options.store ?? own!
  const plane = await startControlPlane({ store, clock, random, log, serviceAccountKeys: newKeyPair(), runtimeConfig, featureGates })
  const client = plane.clientFor({ name: 'kubernetes-admin', groups: ['system:masters'] }, 'test')
  const names = Array.from({ length: nodes }, (_, index) => `node-${index + 1}`)
  const capacity = nodeCapacity ? { capacity: nodeCapacity } : {}
  const simulated = startSimulatedNodes({ names, client, informers: plane.informers, clock, log, ...capacity })
  await simulated.ready
  const stop = async () => {
    await simulated.stop()
    try {
      await plane.stop()
    } finally {
      await own?.close()
    }
  }
  return {
    client,
    informers: plane.informers,
    clientFor: user => plane.clientFor(user, 'test'),
    async until(condition, timeoutMs = UNTIL_TIMEOUT_MS) {
      const deadline = clock.monotonic() + timeoutMs
      while (!(await condition())) {
        if (clock.monotonic() >= deadline)
          throw new Error(`the cluster did not come to what was waited for within ${timeoutMs} ms: ${condition}`)
        await sleep(clock, UNTIL_PAUSE_MS)
      }
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
