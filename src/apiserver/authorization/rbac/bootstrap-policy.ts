import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { AGGREGATED_ROLES, AGGREGATION_LABELS, CLUSTER_ROLES } from './cluster-roles.ts'
import { CONTROLLER_ROLES, OPTIONAL_CONTROLLER_ROLES } from './controller-roles.ts'
import { EVENTS, type PolicyRule, rule } from './policy-rule.ts'

/** A subject of a binding, as the API writes it. */
interface Subject {
  readonly kind: 'User' | 'Group' | 'ServiceAccount'
  readonly apiGroup?: string
  readonly name: string
  readonly namespace?: string
}

interface BootstrapMeta {
  readonly name: string
  readonly namespace?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface BootstrapRole {
  readonly metadata: BootstrapMeta
  readonly rules: readonly PolicyRule[] | null
  readonly aggregationRule?: { readonly clusterRoleSelectors: readonly { readonly matchLabels: Readonly<Record<string, string>> }[] }
}

export interface BootstrapBinding {
  readonly metadata: BootstrapMeta
  readonly subjects?: readonly Subject[]
  readonly roleRef: { readonly apiGroup: string; readonly kind: 'Role' | 'ClusterRole'; readonly name: string }
}

/** What a server makes sure of at every start: the roles and bindings that upstream ships. Existing objects gain what they lack. */
export interface BootstrapPolicy {
  readonly clusterRoles: readonly BootstrapRole[]
  readonly clusterRoleBindings: readonly BootstrapBinding[]
  readonly roles: readonly BootstrapRole[]
  readonly roleBindings: readonly BootstrapBinding[]
}

/** What is served beside the APIs that are always there: each brings the roles of those who work with it. */
export interface ServedBeside {
  /** The group `typernetes.dev`: the scheduler may then answer questions of it. */
  readonly servesTypernetes?: boolean | undefined
  /** Kinds of alpha and beta APIs. */
  readonly optional?: readonly AnyKind[] | undefined
}

/** Upstream's policy for 1.36 (plugin/pkg/auth/authorizer/rbac/bootstrappolicy). */
export function bootstrapPolicy({ servesTypernetes = false, optional = [] }: ServedBeside = {}): BootstrapPolicy {
  const controllers = controllerRoles(optional)
  return {
    clusterRoles: [
      ...Object.entries(CLUSTER_ROLES).map(([name, rules]) =>
        clusterRole(name, name === SCHEDULER ? [...rules, ...schedulerRules(optional)] : rules),
      ),
      ...Object.entries(AGGREGATED_ROLES).map(([name, label]) => aggregatedRole(name, label)),
      ...controllers.map(([name, rules]) => clusterRole(`system:controller:${name}`, rules)),
      ...(servesTypernetes ? [clusterRole(SCHEDULING_REVIEWER, SCHEDULING_REVIEWS)] : []),
    ],
    clusterRoleBindings: [
      ...CLUSTER_ROLE_BINDINGS.map(([name, role, subjects]) => clusterRoleBinding(name, role, subjects)),
      ...controllers.map(([name]) => clusterRoleBinding(`system:controller:${name}`, `system:controller:${name}`, [account(name)])),
      ...(servesTypernetes ? [clusterRoleBinding(SCHEDULING_REVIEWER, SCHEDULING_REVIEWER, [user('system:kube-scheduler')])] : []),
    ],
    roles: ROLES.map(([namespace, name, rules]) => ({ metadata: meta(name, namespace), rules })),
    roleBindings: ROLE_BINDINGS.map(([namespace, name, role, subjects]) => ({
      metadata: meta(name, namespace),
      subjects,
      roleRef: { apiGroup: RBAC, kind: 'Role', name: role },
    })),
  }
}

const SCHEDULER = 'system:kube-scheduler'

/** What the scheduler may with APIs that are not always there. */
function schedulerRules(optional: readonly AnyKind[]): PolicyRule[] {
  if (!optional.includes(PodGroup)) return []
  return [rule('get,list,watch', 'scheduling.k8s.io', 'podgroups,workloads'), rule('patch,update', 'scheduling.k8s.io', 'podgroups/status')]
}

/** The roles of all controllers; some may more when an API is served that is not always there. */
function controllerRoles(optional: readonly AnyKind[]): [name: string, rules: readonly PolicyRule[]][] {
  const roles = new Map(Object.entries(CONTROLLER_ROLES))
  for (const { api, name, rules } of OPTIONAL_CONTROLLER_ROLES)
    if (optional.includes(api)) roles.set(name, [...(roles.get(name) ?? []), ...rules])
  return [...roles]
}

const RBAC = 'rbac.authorization.k8s.io'
const user = (name: string): Subject => ({ kind: 'User', apiGroup: RBAC, name })
const group = (name: string): Subject => ({ kind: 'Group', apiGroup: RBAC, name })
const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' })

const CLUSTER_ROLE_BINDINGS: readonly [name: string, role: string, subjects: readonly Subject[]][] = [
  ['cluster-admin', 'cluster-admin', [group('system:masters')]],
  ['system:basic-user', 'system:basic-user', [group('system:authenticated')]],
  ['system:discovery', 'system:discovery', [group('system:authenticated')]],
  ['system:kube-controller-manager', 'system:kube-controller-manager', [user('system:kube-controller-manager')]],
  ['system:kube-dns', 'system:kube-dns', [account('kube-dns')]],
  ['system:kube-scheduler', 'system:kube-scheduler', [user('system:kube-scheduler')]],
  ['system:monitoring', 'system:monitoring', [group('system:monitoring')]],
  ['system:node', 'system:node', []],
  ['system:node-proxier', 'system:node-proxier', [user('system:kube-proxy')]],
  ['system:public-info-viewer', 'system:public-info-viewer', [group('system:authenticated'), group('system:unauthenticated')]],
  ['system:service-account-issuer-discovery', 'system:service-account-issuer-discovery', [group('system:serviceaccounts')]],
  ['system:volume-scheduler', 'system:volume-scheduler', [user('system:kube-scheduler')]],
]

const SCHEDULING_REVIEWER = 'system:typernetes:scheduling-reviewer'
const SCHEDULING_REVIEWS: readonly PolicyRule[] = [
  rule('delete,get,list,watch', 'typernetes.dev', 'schedulingreviews'),
  rule('update', 'typernetes.dev', 'schedulingreviews/status'),
]

const LEADER_LOCKING: readonly PolicyRule[] = [
  rule('create,get,list,update,watch', 'coordination.k8s.io', 'leases'),
  rule('create,get,list,update,watch', 'coordination.k8s.io', 'leasecandidates'),
]

const ROLES: readonly [namespace: string, name: string, rules: readonly PolicyRule[]][] = [
  [
    'kube-system',
    'extension-apiserver-authentication-reader',
    [rule('get,list,watch', '', 'configmaps', 'extension-apiserver-authentication')],
  ],
  ['kube-system', 'system::leader-locking-kube-controller-manager', LEADER_LOCKING],
  ['kube-system', 'system::leader-locking-kube-scheduler', LEADER_LOCKING],
  ['kube-system', 'system:controller:bootstrap-signer', [rule('get,list,watch', '', 'secrets')]],
  ['kube-system', 'system:controller:cloud-provider', [rule('create,get,list,watch', '', 'configmaps')]],
  ['kube-system', 'system:controller:token-cleaner', [rule('delete,get,list,watch', '', 'secrets'), EVENTS]],
  [
    'kube-public',
    'system:controller:bootstrap-signer',
    [rule('get,list,watch', '', 'configmaps'), rule('update', '', 'configmaps', 'cluster-info'), EVENTS],
  ],
]

const ROLE_BINDINGS: readonly [namespace: string, name: string, role: string, subjects: readonly Subject[]][] = [
  [
    'kube-system',
    'system::extension-apiserver-authentication-reader',
    'extension-apiserver-authentication-reader',
    [user('system:kube-controller-manager'), user('system:kube-scheduler')],
  ],
  [
    'kube-system',
    'system::leader-locking-kube-controller-manager',
    'system::leader-locking-kube-controller-manager',
    [user('system:kube-controller-manager'), account('kube-controller-manager'), account('leader-election-controller')],
  ],
  [
    'kube-system',
    'system::leader-locking-kube-scheduler',
    'system::leader-locking-kube-scheduler',
    [user('system:kube-scheduler'), account('kube-scheduler')],
  ],
  ['kube-system', 'system:controller:bootstrap-signer', 'system:controller:bootstrap-signer', [account('bootstrap-signer')]],
  ['kube-system', 'system:controller:cloud-provider', 'system:controller:cloud-provider', [account('cloud-provider')]],
  ['kube-system', 'system:controller:token-cleaner', 'system:controller:token-cleaner', [account('token-cleaner')]],
  ['kube-public', 'system:controller:bootstrap-signer', 'system:controller:bootstrap-signer', [account('bootstrap-signer')]],
]

function clusterRole(name: string, rules: readonly PolicyRule[]): BootstrapRole {
  return { metadata: meta(name), rules }
}

function aggregatedRole(name: string, label: string): BootstrapRole {
  return { metadata: meta(name), rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] } }
}

function clusterRoleBinding(name: string, role: string, subjects: readonly Subject[]): BootstrapBinding {
  return {
    metadata: meta(name),
    ...(subjects.length > 0 ? { subjects } : {}),
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  }
}

function meta(name: string, namespace?: string): BootstrapMeta {
  const aggregation = AGGREGATION_LABELS[name]
  return {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...(aggregation ? { [aggregation]: 'true' } : {}) },
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  }
}
