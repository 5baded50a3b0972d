/** A rule of a role: verbs on resources, or on paths. */
export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
  readonly resourceNames?: readonly string[] | undefined
  readonly nonResourceURLs?: readonly string[] | undefined
}

/** A rule on resources; every argument is a list with commas. */
export function rule(verbs: string, apiGroups: string, resources: string, resourceNames?: string): PolicyRule {
  return {
    verbs: verbs.split(','),
    apiGroups: apiGroups.split(','),
    resources: resources.split(','),
    ...(resourceNames === undefined ? {} : { resourceNames: resourceNames.split(',') }),
  }
}

/** A rule on paths that are no resources. */
export function paths(verbs: string, nonResourceURLs: string): PolicyRule {
  return { verbs: verbs.split(','), nonResourceURLs: nonResourceURLs.split(',') }
}

/** To record events, in either of their two groups. */
export const EVENTS: PolicyRule = rule('create,patch,update', ',events.k8s.io', 'events')
