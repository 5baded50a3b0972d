import type { HealthCheck } from './health.ts'

/** Parts of a start that upstream names in its health endpoints, in its order; here they are done before the first request is answered. */
const START_HOOKS = [
  'start-apiserver-admission-initializer',
  'generic-apiserver-start-informers',
  'priority-and-fairness-config-consumer',
  'priority-and-fairness-filter',
  'storage-object-count-tracker-hook',
  'start-apiextensions-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
  'start-system-namespaces-controller',
  'peer-endpoint-reconciler-controller',
  'start-cluster-authentication-info-controller',
  'start-kube-apiserver-identity-lease-controller',
  'start-kube-apiserver-identity-lease-garbage-collector',
  'storage-readiness',
  'start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kubernetes-service-cidr-controller',
  'start-kube-aggregator-informers',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
  'apiservice-registration-controller',
  'apiservice-wait-for-first-sync',
  'apiservice-discovery-controller',
  'kube-apiserver-autoregistration',
  'apiservice-openapi-controller',
  'apiservice-openapiv3-controller',
]

/** What the health endpoints look at. */
export interface HealthFacts {
  /** Undefined if the store answers. */
  storeProblem(): string | undefined | Promise<string | undefined>
  /** Undefined once the server has started whole. */
  startProblem(): string | undefined
  /** Undefined unless the server is going down. */
  stopProblem(): string | undefined
  /** Beside these: key management services. */
  readonly more?: readonly HealthCheck[]
}

export function healthChecks(facts: HealthFacts): {
  readonly healthz: HealthCheck[]
  readonly livez: HealthCheck[]
  readonly readyz: HealthCheck[]
} {
  const fine = (name: string): HealthCheck => ({ name, check: () => undefined })
  const store = (name: string): HealthCheck => ({ name, check: () => facts.storeProblem() })
  const hooks = START_HOOKS.map(name => ({ name: `poststarthook/${name}`, check: () => facts.startProblem() }))
  const registration = { name: 'autoregister-completion', check: () => facts.startProblem() }
  const all = [...hooks.slice(0, -2), registration, ...hooks.slice(-2)]
  const more = facts.more ?? []
  return {
    healthz: [fine('ping'), fine('log'), fine('loopback-serving-certificate'), store('etcd'), ...more, ...all],
    livez: [fine('ping'), fine('log'), fine('loopback-serving-certificate'), store('etcd'), ...more, ...all],
    readyz: [
      fine('ping'),
      fine('log'),
      store('etcd'),
      store('etcd-readiness'),
      { name: 'informer-sync', check: () => facts.startProblem() },
      ...more,
      ...all,
      { name: 'shutdown', check: () => facts.stopProblem() },
    ],
  }
}
