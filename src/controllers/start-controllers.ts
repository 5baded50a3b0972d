import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { eventRecorder } from '#client/events/event-recorder.ts'
import type { Informers } from '#client/informers/informer.ts'
import { informers as newInformers } from '#client/informers/informers.ts'
import { type FeatureGates, isGateOn } from '#machinery/feature-gates/feature-gates.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import { controllers, isEnabled } from './controllers.ts'
import type { Controller, ControllerContext } from './runtime/controller.ts'
import { type ControllerMetrics, noMetrics } from './runtime/controller-metrics.ts'
import { type ControllerParameters, defaultParameters } from './runtime/parameters.ts'

/** What {@link startControllers} takes. */
export interface ControllersOptions {
  /** Acts as `system:kube-controller-manager`, or as what its role allows. */
  readonly client: Client
  /** A client that acts as the service account of one controller; all use `client` where this is absent. */
  readonly clientFor?: (controller: string) => Client
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** The kinds that the server serves, custom ones too. */
  readonly kinds: KindRegistry
  /** Which run, as `--controllers` says it: `*`, names, and names with a `-` before them. Default: `['*']`. */
  readonly enabled?: readonly string[]
  /** Which of upstream's gates are on, as `--feature-gates` says it; else they are as in 1.36. */
  readonly featureGates?: FeatureGates
  readonly parameters?: Partial<ControllerParameters>
  readonly metrics?: ControllerMetrics
  /** Caches to share with other components of the process; they are then not ended here. */
  readonly informers?: Informers
  /** Which controllers there are; a test may give fewer. */
  readonly controllers?: readonly Controller[]
}

/** Controllers that run. */
export interface RunningControllers {
  /** Resolves once no work is under way any more. */
  stop(): Promise<void>
}

/** Controllers without an account of their own: the one that makes accounts usable cannot wait for its own token. */
export const ACTS_AS_MANAGER: ReadonlySet<string> = new Set(['serviceaccount-token-controller'])

/** Starts the controllers that are enabled, whose gates are on and whose APIs are served, over shared caches. */
export function startControllers(options: ControllersOptions): RunningControllers {
  const { client, clock, random, log, kinds, enabled = ['*'], featureGates = {}, metrics = noMetrics } = options
  const shared = options.informers ?? newInformers({ client, clock, log })
  const recorders: Disposable[] = []
  const contextFor = (controller: string): ControllerContext => {
    const own = ACTS_AS_MANAGER.has(controller) ? client : (options.clientFor?.(controller) ?? client)
    return {
      client: own,
      informers: shared,
      kinds,
      clock,
      random,
      log,
      metrics,
      parameters: { ...defaultParameters, ...options.parameters },
      isGateOn: name => isGateOn(name, featureGates),
      events(component) {
        const recorder = eventRecorder({ client: own, clock, log, component })
        recorders.push(recorder)
        return recorder
      },
    }
  }
  const isServed = ({ name, needs = [] }: Controller) => {
    const missing = needs.find(kind => !kinds.has(kind))
    if (missing) log.info('a controller does not run: its API is not served', { controller: name, api: missing.apiVersion })
    return !missing
  }
  const running = (options.controllers ?? controllers)
    .filter(({ name, featureGates: gates = [] }) => isEnabled(name, enabled) && gates.every(gate => isGateOn(gate, featureGates)))
    .filter(isServed)
    .map(controller => controller.run(contextFor(controller.name)))
  return {
    async stop() {
      await Promise.all(running.map(loop => loop[Symbol.asyncDispose]()))
      for (const recorder of recorders) recorder[Symbol.dispose]()
      if (!options.informers) await shared[Symbol.asyncDispose]()
    },
  }
}
