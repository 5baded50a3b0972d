import type { NodeInfo } from '../cache/node-info.ts'
import type { Extender } from '../extenders/extender.ts'
import type { Refusal } from './plugin.ts'
import type { Profile } from './profile.ts'
import type { Refusals } from './refusals.ts'
import type { SchedulingCycle } from './scheduling-cycle.ts'

/** What came of choosing a node for a pod: the node, or why there is none. */
export interface Attempt {
  readonly profile: Profile
  readonly cycle: SchedulingCycle
  readonly node: NodeInfo | undefined
  /** The extender that binds, if one does. */
  readonly binder?: Extender | undefined
  readonly refusals?: Refusals
  /** Set if the pod was refused before any node was looked at. */
  readonly refusal?: Refusal | undefined
}
