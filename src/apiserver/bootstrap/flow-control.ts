import type { Client } from '#client/client.ts'
import { FlowSchema } from '#kinds/flowcontrol/v1/flow-schema.ts'
import { PriorityLevelConfiguration } from '#kinds/flowcontrol/v1/priority-level-configuration.ts'
import { equal } from '#machinery/kind/draft.ts'
import type { AnyKind, ApiObject } from '#machinery/kind/kind.ts'
import { ensureAll } from './ensure.ts'

/** The flow schemas and priority levels that upstream ships. Those annotated as such are brought back to it when they were changed. */
export async function ensureFlowControl(client: Client): Promise<void> {
  await Promise.all([ensureSpecs(client, PriorityLevelConfiguration, PRIORITY_LEVELS), ensureSpecs(client, FlowSchema, FLOW_SCHEMAS)])
}

const AUTO_UPDATE = 'apf.kubernetes.io/autoupdate-spec'

async function ensureSpecs(client: Client, kind: AnyKind, specs: Readonly<Record<string, object>>): Promise<void> {
  const wanted = Object.entries(specs).map(([name, spec]) => ({ metadata: { name, annotations: { [AUTO_UPDATE]: 'true' } }, spec }))
  await ensureAll(client, kind, wanted, (present, { spec }: { spec: object }) => {
    const now = present as ApiObject & { readonly spec: object }
    return now.metadata.annotations?.[AUTO_UPDATE] === 'true' && !equal({ ...now.spec, ...spec }, now.spec) ? { ...now, spec } : undefined
  })
}

const queued = (nominalConcurrencyShares: number, lendablePercent: number, queues: number, handSize: number) => ({
  type: 'Limited',
  limited: {
    nominalConcurrencyShares,
    lendablePercent,
    limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
  },
})

const PRIORITY_LEVELS: Readonly<Record<string, object>> = {
  exempt: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  'catch-all': { type: 'Limited', limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } } },
  system: queued(30, 33, 64, 6),
  'node-high': queued(40, 25, 64, 6),
  'leader-election': queued(10, 0, 16, 4),
  'workload-high': queued(40, 50, 128, 6),
  'workload-low': queued(100, 90, 128, 6),
  'global-default': queued(20, 50, 128, 6),
}

const group = (name: string) => ({ kind: 'Group', group: { name } })
const user = (name: string) => ({ kind: 'User', user: { name } })
const SYSTEM_ACCOUNTS = { kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name: '*' } }
const EVERYONE = [group('system:unauthenticated'), group('system:authenticated')]

const on = (verbs: readonly string[], apiGroups: readonly string[], resources: readonly string[], clusterScope = true) => ({
  verbs,
  apiGroups,
  resources,
  ...(clusterScope ? { clusterScope } : {}),
  namespaces: ['*'],
})
const ANY = ['*']
const EVERYTHING = { resourceRules: [on(ANY, ANY, ANY)], nonResourceRules: [{ verbs: ANY, nonResourceURLs: ANY }] }

const flow = (level: string, matchingPrecedence: number, distinguisher: 'ByUser' | 'ByNamespace' | undefined, rule: object) => ({
  priorityLevelConfiguration: { name: level },
  matchingPrecedence,
  ...(distinguisher ? { distinguisherMethod: { type: distinguisher } } : {}),
  rules: [rule],
})

const FLOW_SCHEMAS: Readonly<Record<string, object>> = {
  exempt: flow('exempt', 1, undefined, { subjects: [group('system:masters')], ...EVERYTHING }),
  probes: flow('exempt', 2, undefined, {
    subjects: EVERYONE,
    nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
  }),
  'system-leader-election': flow('leader-election', 100, 'ByUser', {
    subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler'), SYSTEM_ACCOUNTS],
    resourceRules: [on(['get', 'create', 'update'], ['coordination.k8s.io'], ['leases'], false)],
  }),
  'system-node-high': flow('node-high', 400, 'ByUser', {
    subjects: [group('system:nodes')],
    resourceRules: [on(ANY, [''], ['nodes', 'nodes/status']), on(ANY, ['coordination.k8s.io'], ['leases'], false)],
  }),
  'system-nodes': flow('system', 500, 'ByUser', { subjects: [group('system:nodes')], ...EVERYTHING }),
  'kube-controller-manager': flow('workload-high', 800, 'ByNamespace', {
    subjects: [user('system:kube-controller-manager')],
    ...EVERYTHING,
  }),
  'kube-scheduler': flow('workload-high', 800, 'ByNamespace', { subjects: [user('system:kube-scheduler')], ...EVERYTHING }),
  'kube-system-service-accounts': flow('workload-high', 900, 'ByNamespace', { subjects: [SYSTEM_ACCOUNTS], ...EVERYTHING }),
  'service-accounts': flow('workload-low', 9000, 'ByUser', { subjects: [group('system:serviceaccounts')], ...EVERYTHING }),
  'global-default': flow('global-default', 9900, 'ByUser', { subjects: EVERYONE, ...EVERYTHING }),
  'catch-all': flow('catch-all', 10000, 'ByUser', { subjects: EVERYONE, ...EVERYTHING }),
}
