import type { FakeWrite } from '#client/fake/fake-api.ts'
import type { Controller } from './runtime/controller.ts'
import type { ControllerParameters } from './runtime/parameters.ts'
import { type NoteRequest, type TestCluster, testCluster } from './runtime/test-cluster.ts'

/** A story that controllers live through, and that ends the same whatever disturbs them on the way. */
export interface Story {
  readonly name: string
  readonly controllers: readonly Controller[]
  readonly parameters?: Partial<ControllerParameters>
  /** What users do, with a rest after each step. */
  readonly steps: readonly ((cluster: TestCluster) => void)[]
  /** What the rest of the world does in every round: scheduler, kubelets, drivers. */
  readonly world: (cluster: TestCluster) => void
  /** How many rounds a rest has, and how much time passes in each. */
  readonly rounds: number
  readonly roundMs: number
  /** What is there at the end, without names and times that chance has made. */
  readonly summarize: (cluster: TestCluster) => unknown
}

/** What happens right after one write. */
export const PERTURBATIONS = ['crash', 'lost answer', 'stale cache', 'broken watches', 'doubled events'] as const

export interface Perturbation {
  /** After the write of this number, counted over the whole story and without events … */
  readonly at: number
  /** … the controllers end and others start; the answer is lost; caches stand still for a while; watches break and miss what happens; each event comes twice. */
  readonly what: (typeof PERTURBATIONS)[number]
}

/** How a story ended. */
export interface Ending {
  readonly summary: unknown
  readonly writes: number
  readonly writers: ReadonlySet<string>
}

const STALE_MS = 2_000
const AFTERWARDS_MS = 1_000

/** Tells a story to its end, disturbed once or not at all; `note` hears what its controllers ask for. */
export async function tell(story: Story, perturbation?: Perturbation, note?: NoteRequest): Promise<Ending> {
  const { controllers, parameters, steps, world, rounds, roundMs, summarize } = story
  let cluster = testCluster(controllers, parameters, 1, undefined, note)
  const { api } = cluster
  let writes = 0
  let isDue = false
  const faults = {
    after(write: FakeWrite) {
      if (!changesSomething(write)) return
      if (writes++ !== perturbation?.at) return
      if (perturbation.what === 'lost answer') throw new Error('connection lost')
      isDue = true
      // Whoever has crashed does nothing more.
      if (perturbation.what === 'crash') api.faults = { before: crashed }
      if (perturbation.what === 'stale cache') api.held = true
      if (perturbation.what === 'doubled events') api.doubled = true
    },
  }
  api.faults = faults
  const settle = async () => {
    await cluster.settle()
    if (!isDue) return
    isDue = false
    if (perturbation?.what === 'crash') {
      await cluster[Symbol.asyncDispose]()
      api.faults = faults
      cluster = testCluster(controllers, parameters, 2, cluster, note)
    }
    if (perturbation?.what === 'stale cache') {
      await cluster.advance(STALE_MS)
      api.held = false
    }
    if (perturbation?.what === 'broken watches') {
      api.closeWatches()
      api.compact()
    }
    await cluster.advance(AFTERWARDS_MS)
  }
  for (const step of steps) {
    step(cluster)
    for (let round = 0; round < rounds; round++) {
      await settle()
      world(cluster)
      await cluster.advance(roundMs)
    }
  }
  await settle()
  const ending = { summary: summarize(cluster), writes, writers: cluster.writers }
  await cluster[Symbol.asyncDispose]()
  return ending
}

/** Events are lost without anybody minding; questions change nothing. */
function changesSomething({ verb, kind, body }: FakeWrite): boolean {
  return kind !== 'Event' && kind !== 'SubjectAccessReview' && !(verb === 'subresource' && body === undefined)
}

const crashed = () => {
  throw new Error('the process is gone')
}
