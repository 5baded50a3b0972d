/** What of a kubelet's `/stats/summary` is read here. Upstream's kubelets say much more. */
export interface StatsSummary {
  readonly node: ResourceStats & { readonly nodeName: string }
  readonly pods: readonly PodStats[]
}

export interface PodStats {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string }
  readonly containers?: readonly (ResourceStats & { readonly name: string })[]
}

/** Times are RFC 3339. */
export interface ResourceStats {
  /** `usageCoreNanoSeconds` counts up from the container's start. */
  readonly cpu?: { readonly time?: string; readonly usageCoreNanoSeconds?: number }
  readonly memory?: { readonly workingSetBytes?: number }
}
