/** What a pod's cgroup is limited to. */
export interface CgroupLimits {
  readonly cpuShares?: number
  /** Microseconds of each 100 ms; absent: unlimited. */
  readonly cpuQuota?: number
  readonly memoryBytes?: number
  readonly pids?: number
}

/** The control groups of one node: all of them below the node's own root. */
export interface Cgroups {
  /** The version of the kernel's interface in use, as the node's log says. */
  readonly version: 1 | 2
  /** Makes the group (a path below the root, `kubepods/burstable/pod<uid>`) with its parents and sets its limits. */
  create(path: string, limits: CgroupLimits): Promise<void>
  /** Removes the group and all below it, which must be empty of processes. */
  remove(path: string): Promise<void>
  /** The groups right below one. */
  children(path: string): Promise<readonly string[]>
  /** What the runtime is told: the path from the hierarchy's root. */
  absolute(path: string): string
}

/** Does nothing: for a runtime without control groups. */
export const noCgroups: Cgroups = {
  version: 2,
  create: async () => {},
  remove: async () => {},
  children: async () => [],
  absolute: () => '',
}
