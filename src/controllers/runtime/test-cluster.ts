import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { type VirtualClock, virtualClock } from '#base/time/virtual-clock.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import { type NotedRequest, notingClient } from '#client/fake/noting-client.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { optionalKinds } from '#kinds/optional-kinds.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { startControllers } from '../start-controllers.ts'
import type { Controller } from './controller.ts'
import { type ControllerMetrics, noMetrics } from './controller-metrics.ts'
import type { ControllerParameters } from './parameters.ts'

/** Controllers over a fake API server on virtual time, for component tests. */
export interface TestCluster extends AsyncDisposable {
  readonly api: FakeApi
  readonly clock: VirtualClock
  /** Lets everything happen that can happen without time passing. */
  settle(): Promise<void>
  /** Lets time pass. */
  advance(ms: number): Promise<void>
  /** The controllers that have written something else than events. */
  readonly writers: ReadonlySet<string>
  /** `reason: message` of the events written so far. */
  events(): string[]
}

/** Who asks where it is not a controller of its own. */
export const PROCESS = 'kube-controller-manager'

/** Is told of everything that a controller, or the process for all of them, asks of the server. */
export type NoteRequest = (controller: string, request: NotedRequest) => void

/** Starts `controllers`; over the objects and the time of `former`, if that is given. */
export function testCluster(
  controllers: readonly Controller[],
  parameters: Partial<ControllerParameters> = {},
  seed = 1,
  former?: Pick<TestCluster, 'api' | 'clock' | 'writers'>,
  note: NoteRequest = () => {},
  metrics: ControllerMetrics = noMetrics,
): TestCluster {
  const clock = former?.clock ?? virtualClock()
  const api = former?.api ?? new FakeApi(clock, seededRandom(seed))
  const writers = new Set(former?.writers)
  const noting = (writer: string, asker = writer) =>
    notingClient(api.client({ before: ({ kind }) => void (kind === 'Event' || writers.add(writer)) }), request => note(asker, request))
  const running = startControllers({
    // It fills the caches, and one controller acts as the process itself.
    client: noting('serviceaccount-token-controller', PROCESS),
    clientFor: controller => noting(controller),
    clock,
    random: seededRandom(seed + 1),
    log: silentLogger,
    kinds: kindRegistry([...builtInKinds, ...optionalKinds]),
    featureGates: { AllAlpha: true, AllBeta: true },
    controllers,
    enabled: controllers.map(({ name }) => name),
    parameters,
    metrics,
  })
  return {
    api,
    clock,
    writers,
    settle: () => clock.advance(0),
    advance: ms => clock.advance(ms),
    events: () =>
      api.writes
        .filter(({ verb, kind }) => verb === 'create' && kind === 'Event')
        .map(({ body }) => {
          const { reason, message } = body as { reason: string; message: string }
          return `${reason}: ${message}`
        }),
    [Symbol.asyncDispose]: () => running.stop(),
  }
}
