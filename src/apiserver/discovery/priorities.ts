/** Where a version of a group stands: higher comes first in discovery, and is what clients prefer. */
export interface Priority {
  readonly group: number
  readonly version: number
}

/** The groups that upstream ships, with its numbers. */
const GROUPS: Readonly<Record<string, number>> = {
  '': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'admissionregistration.k8s.io': 16700,
  'apiextensions.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'resource.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
}

/** Versions whose number is not the usual one. */
const VERSIONS: Readonly<Record<string, number>> = {
  'v1.': 1,
  'v2.autoscaling': 30,
  'v1.resource.k8s.io': 21,
  'v1.flowcontrol.apiserver.k8s.io': 21,
}

/** The group of APIServices is no APIService's: it stands in front of all. */
const AGGREGATION_GROUP = 'apiregistration.k8s.io'

/** Of a version that upstream registers with its servers; undefined of others. */
export function builtInPriority(group: string, version: string): Priority | undefined {
  const of = GROUPS[group]
  return of === undefined ? undefined : { group: of, version: VERSIONS[`${version}.${group}`] ?? 15 }
}

/** Of the groups of custom resources. */
export const CUSTOM_PRIORITY: Priority = { group: 1000, version: 100 }

/** Of any version that this server serves itself. */
export function localPriority(group: string, version: string): Priority {
  if (group === AGGREGATION_GROUP) return { group: Number.POSITIVE_INFINITY, version: 15 }
  return builtInPriority(group, version) ?? CUSTOM_PRIORITY
}
