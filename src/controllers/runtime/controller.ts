import type { Logger } from '#base/log/logger.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/events/event-recorder.ts'
import type { Informers } from '#client/informers/informer.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import type { ControllerParameters } from './parameters.ts'

/** A loop that brings what is towards what is asked for. Most are made by `defineController`; odd shapes implement this themselves. */
export interface Controller {
  /** Upstream's name, as `--controllers` knows it. */
  readonly name: string
  /** Upstream's gates without which it does not run. */
  readonly featureGates?: readonly string[] | undefined
  /** The kinds that have to be served so that it can run. */
  readonly needs?: readonly AnyKind[] | undefined
  /** Starts the loop; it runs until the result is disposed, which waits for the work under way. */
  run(context: ControllerContext): AsyncDisposable
}

/** What a controller is given of the world. */
export interface ControllerContext {
  readonly client: Client
  /** Caches that all controllers share. */
  readonly informers: Informers
  /** Every kind that is served, custom ones as they come and go. */
  readonly kinds: KindRegistry
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly parameters: ControllerParameters
  /** Whether one of upstream's gates that decide over controllers is on. */
  isGateOn(name: string): boolean
  readonly metrics: ControllerMetrics
  /** Tells users of an object what `component` did. */
  events(component: string): EventRecorder
}
