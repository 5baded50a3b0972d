import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { ImagePuller } from '../images/image-puller.ts'
import type { PodProbes } from '../probes/pod-probes.ts'
import type { ProbeResults } from '../probes/probe-results.ts'
import type { Cgroups } from '../resources/cgroups.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import type { TokenSource } from '../volumes/volume-plugin.ts'
import type { DnsFacts } from './dns.ts'
import type { PodReferences } from './environment.ts'
import type { PodEvents } from './pod-events.ts'
import type { StatusWriter } from './status-writer.ts'

/** The node that a pod's worker works on. */
export interface PodHost {
  readonly nodeName: string
  readonly nodeIPs: readonly string[]
  readonly runtime: Runtime
  /** `containerd` */
  readonly runtimeName: () => string
  readonly clock: Clock
  readonly log: Logger
  readonly events: PodEvents
  readonly statuses: StatusWriter
  readonly references: PodReferences
  readonly tokens: TokenSource
  readonly volumes: PodVolumes
  readonly images: ImagePuller
  readonly probes: PodProbes
  readonly probeResults: ProbeResults
  readonly cgroups: Cgroups
  readonly podPids: number | undefined
  readonly dns: DnsFacts
  /** Below it each pod has its directory `<namespace>_<name>_<uid>`. */
  readonly logsDirectory: string
  readonly seccompDirectory: string
  readonly seccompDefault?: boolean | undefined
  readonly nodeHostsPath: string
  readonly nodeMemoryBytes: number
  readonly allocatable: () => Readonly<Record<string, string>>
  /** Why the node cannot take this pod, if it cannot. */
  admit(pod: Pod): { readonly reason: string; readonly message: string } | undefined
  /** Deletes the pod's object in the API, now that nothing of it is left here. */
  deleteFromApi(pod: Pod): Promise<void>
  /** The name of the runtime's handler for a runtime class; throws if there is no such class. */
  runtimeHandler(pod: Pod): Promise<string>
}
