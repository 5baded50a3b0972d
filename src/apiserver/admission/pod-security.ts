import type { Informers } from '#client/informers/informer.ts'
import { Namespace } from '#kinds/core/v1/namespace.ts'
import { allContainers } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { PodTemplateSpec } from '#kinds/core/v1/pod-template-spec.ts'
import type { ApiObject } from '#machinery/kind/kind.ts'
import { forbidden, invalid } from '#machinery/status/failures.ts'
import { quote } from '#machinery/status/go-text.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import type { PodLike } from './pod-security/check.ts'
import { defaultPolicy, type PodSecurityConfiguration } from './pod-security/configuration.ts'
import { detailText, reasonText, violationsOf } from './pod-security/evaluate.ts'
import { isSamePolicy, isStricter, type LeveledPolicy, type NamespacePolicy, policyOf, policyText } from './pod-security/policy.ts'

/** What counts where labels say nothing, and who is not asked. */
interface Rules {
  readonly defaults: NamespacePolicy
  readonly exempt: {
    readonly namespaces: readonly string[]
    readonly usernames: readonly string[]
    readonly runtimeClasses: readonly string[]
  }
}

/** Holds pods to the Pod Security Standards that the labels of their namespace name, or the configuration. */
export function podSecurity(informers: () => Informers, configured: PodSecurityConfiguration = {}): AdmissionPlugin {
  const { namespaces = [], usernames = [], runtimeClasses = [] } = configured.exemptions ?? {}
  const rules: Rules = { defaults: defaultPolicy(configured), exempt: { namespaces, usernames, runtimeClasses } }
  const { exempt, defaults } = rules
  const policyIn = (namespace: string) => policyOf(informers().of(Namespace).get('', namespace)?.metadata.labels, defaults).policy
  return {
    name: 'PodSecurity',
    validate(request) {
      const { operation, kind, object, namespace, subresource } = request
      if ((operation !== 'CREATE' && operation !== 'UPDATE') || !object) return
      if (kind.group === '' && kind.kind === 'Namespace') return ofNamespace(request, rules, informers)
      if (exempt.namespaces.includes(namespace)) return request.annotate?.(`${AUDIT}/exempt`, 'namespace')
      if (exempt.usernames.includes(request.user.name)) return request.annotate?.(`${AUDIT}/exempt`, 'user')
      if (kind.group === '' && kind.kind === 'Pod') {
        if (UNCHANGING.has(subresource) || (request.old && !isSignificant(object as unknown as Pod, request.old as Pod))) return
        return check(request, podLike(object), policyIn(namespace), exempt, true)
      }
      const template = subresource === '' ? templateOf(object) : undefined
      if (template) check(request, template, policyIn(namespace), exempt, false)
    },
  }
}

/** What audit events say stands under it. */
const AUDIT = 'pod-security.kubernetes.io'

/** Subresources of pods that leave the pod's spec alone. */
const UNCHANGING = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])

function check(request: AdmissionRequest, pod: PodLike, policy: NamespacePolicy, exempt: Rules['exempt'], enforces: boolean): void {
  if (exempt.runtimeClasses.includes(pod.spec.runtimeClassName ?? '')) {
    request.annotate?.(`${AUDIT}/exempt`, 'runtimeClass')
    return
  }
  const audited = violationsOf(policy.audit, pod)
  if (audited.length > 0) {
    request.annotate?.(`${AUDIT}/audit-violations`, `would violate PodSecurity ${quote(policyText(policy.audit))}: ${detailText(audited)}`)
  }
  if (enforces) {
    request.annotate?.(`${AUDIT}/enforce-policy`, policyText(policy.enforce))
    const violations = violationsOf(policy.enforce, pod)
    const { kind, object } = request
    const of = { group: kind.group, resource: kind.plural }
    const why = `violates PodSecurity ${quote(policyText(policy.enforce))}: ${detailText(violations)}`
    if (violations.length > 0) throw forbidden(of, object?.metadata.name ?? '', why)
  }
  const warnings = violationsOf(policy.warn, pod)
  if (warnings.length > 0) request.warn(`would violate PodSecurity ${quote(policyText(policy.warn))}: ${detailText(warnings)}`)
}

/** Labels have to make sense; pods that are there already stay, but whoever tightens the rules is told of them. */
function ofNamespace(request: AdmissionRequest, { defaults, exempt }: Rules, informers: () => Informers): void {
  const { object, old, kind, subresource } = request
  if (subresource !== '' || !object) return
  const name = object.metadata.name ?? ''
  const { policy, errors } = policyOf(object.metadata.labels, defaults)
  const before = old && policyOf(old.metadata.labels, defaults)
  const isNewFault = !before || JSON.stringify(errors.all[0]) !== JSON.stringify(before.errors.all[0])
  if (!errors.isEmpty && isNewFault) throw invalid(kind, name, errors.all)
  if (!before || !isTighter(policy.enforce, before.policy.enforce) || exempt.namespaces.includes(name)) return
  for (const text of pastViolations(name, policy.enforce, informers().of(Pod).list(name), exempt)) request.warn(text)
}

function isTighter(policy: LeveledPolicy, before: LeveledPolicy): boolean {
  if (isSamePolicy(policy, before) || policy.level === 'privileged') return false
  return policy.version !== before.version || isStricter(policy.level, before.level)
}

/** More pods than that are not looked at. */
const MAX_PODS = 3000

function pastViolations(namespace: string, policy: LeveledPolicy, pods: readonly Pod[], exempt: Rules['exempt']): string[] {
  const byReason = new Map<string, string[]>()
  for (const pod of pods.slice(0, MAX_PODS)) {
    if (exempt.runtimeClasses.includes(pod.spec.runtimeClassName ?? '')) continue
    const violations = violationsOf(policy, podLike(pod))
    if (violations.length === 0) continue
    const reason = reasonText(violations)
    byReason.set(reason, [...(byReason.get(reason) ?? []), pod.metadata.name ?? ''])
  }
  const texts = [...byReason].map(([reason, names]) => `${names.sort()[0]}${othersText(names.length - 1)}: ${reason}`).sort()
  const skipped = `new PodSecurity enforce level only checked against the first ${MAX_PODS} of ${pods.length} existing pods`
  return [
    ...(pods.length > MAX_PODS ? [skipped] : []),
    ...(texts.length > 0
      ? [`existing pods in namespace ${quote(namespace)} violate the new PodSecurity enforce level ${quote(policyText(policy))}`]
      : []),
    ...texts,
  ]
}

function othersText(count: number): string {
  if (count === 0) return ''
  return count === 1 ? ' (and 1 other pod)' : ` (and ${count} other pods)`
}

/** Whether an update of a pod may change what it is allowed to do. */
function isSignificant(pod: Pod, old: Pod): boolean {
  if (pod.metadata.annotations?.[SECCOMP_POD] !== old.metadata.annotations?.[SECCOMP_POD]) return true
  const { containers, initContainers = [] } = pod.spec
  if (containers.length !== old.spec.containers.length || initContainers.length !== (old.spec.initContainers ?? []).length) return true
  const before = new Map([...allContainers(old.spec)].map(container => [container.name, container]))
  return [...allContainers(pod.spec)].some(({ name, image }) => {
    const key = `container.${SECCOMP_POD.replace(/pod$/, '')}${name}`
    return before.get(name)?.image !== image || pod.metadata.annotations?.[key] !== old.metadata.annotations?.[key]
  })
}

const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'

function podLike({ metadata, spec }: { metadata?: ApiObject['metadata'] | object; spec?: unknown }): PodLike {
  return { annotations: (metadata as ApiObject['metadata'] | undefined)?.annotations ?? {}, spec: spec as PodLike['spec'] }
}

interface WithTemplate {
  readonly kind: string
  readonly template?: PodTemplateSpec
  readonly spec?: {
    readonly template?: PodTemplateSpec
    readonly jobTemplate?: { readonly spec?: { readonly template?: PodTemplateSpec } }
  }
}

const CONTROLLERS = new Set([
  'PodTemplate',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
])
const GROUPS = new Set(['', 'apps', 'batch'])

/** The template of pods in an object that makes them. */
function templateOf(object: ApiObject): PodLike | undefined {
  const { kind, template, spec } = object as unknown as WithTemplate
  const slash = object.apiVersion.indexOf('/')
  if (!CONTROLLERS.has(kind) || !GROUPS.has(slash < 0 ? '' : object.apiVersion.slice(0, slash))) return undefined
  const found = template ?? spec?.template ?? spec?.jobTemplate?.spec?.template
  return found?.spec && podLike(found)
}
