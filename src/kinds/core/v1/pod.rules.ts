import { draft, equal } from '#machinery/kind/draft.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { isInRange } from '#machinery/meta/formats.ts'
import { isQualifiedName, nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { isDualStack, parseIP, validateIP } from '../../meta/v1/ip.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { validateImageText } from './container.rules.ts'
import type { ContainerStatus } from './container-status.ts'
import { isSidecar, MIRROR_ANNOTATION } from './pod.facts.ts'
import type { Pod } from './pod.ts'
import { APPARMOR_PREFIX, validatePodAnnotations, validateProfileAnnotations } from './pod-annotations.rules.ts'
import { validateResizedPod } from './pod-resize.rules.ts'
import { validatePodSpec } from './pod-spec.rules.ts'
import type { PodSpec } from './pod-spec.ts'
import { validateTolerations } from './toleration.rules.ts'

/** What holds of a pod at any time. */
export function validatePod(pod: Pod, errors: FieldErrors): void {
  const { metadata, spec } = pod
  validatePodAnnotations(metadata.annotations, spec, errors.at('metadata').at('annotations'))
  validatePodSpec(spec, metadata, errors.at('spec'))
  if (!spec.serviceAccountName) {
    spec.volumes?.forEach(({ projected }, index) => {
      projected?.sources?.forEach(({ serviceAccountToken }, position) => {
        if (!serviceAccountToken) return
        const at = errors.at('spec').at('volumes').index(index).at('projected').at('sources').index(position)
        at.at('serviceAccountToken').forbidden('must not be specified when serviceAccountName is not set')
      })
    })
  }
  for (const list of ['containers', 'initContainers'] as const) {
    spec[list]?.forEach((container, index) => {
      validateImageText(container, errors.at('spec').at(list).index(index))
    })
  }
}

/** What holds of a new pod only. */
export function validateNewPod({ metadata, spec }: Pod, errors: FieldErrors): void {
  const at = errors.at('spec')
  if ((spec.ephemeralContainers ?? []).length > 0) at.at('ephemeralContainers').forbidden('cannot be set on create')
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    at.at('nodeName').forbidden('cannot be set until all schedulingGates have been cleared')
  }
  validateProfileAnnotations(metadata.annotations, spec, at)
}

/** What may change of a pod, by way of which subresource. */
export function validatePodUpdate(pod: Pod, old: Pod, errors: FieldErrors, subresource: string): void {
  if (subresource !== 'resize') validateAnnotationUpdate(pod, old, errors.at('metadata').at('annotations'))
  switch (subresource) {
    case '':
      validateSpecUpdate(pod.spec, old.spec, errors.at('spec'))
      return
    case 'status':
      validateStatusUpdate(pod, old, errors)
      return
    case 'ephemeralcontainers':
      validateEphemeralUpdate(pod, old, errors)
      return
    case 'resize':
      validatePod(pod, errors)
      validateResizedPod(pod, old, errors)
      return
  }
}

function validateAnnotationUpdate(pod: Pod, old: Pod, errors: FieldErrors): void {
  const before = old.metadata.annotations ?? {}
  const after = pod.metadata.annotations ?? {}
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    if (before[key] === after[key]) continue
    const verb = before[key] === undefined ? 'add' : 'remove or update'
    if (key.startsWith(APPARMOR_PREFIX)) errors.key(key).forbidden(`may not ${verb} AppArmor annotations`)
    if (key === MIRROR_ANNOTATION) errors.key(key).forbidden(`may not ${verb} mirror pod annotation`)
  }
}

const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

/** Images, a deadline that comes nearer, more tolerations, fewer gates: nothing else of a spec may change. */
function validateSpecUpdate(spec: PodSpec, old: PodSpec, errors: FieldErrors): void {
  for (const list of ['containers', 'initContainers'] as const) {
    const now = spec[list] ?? []
    if (now.length !== (old[list] ?? []).length) {
      errors.at(list).forbidden('pod updates may not add or remove containers')
      return
    }
  }
  if (!validateDeadline(spec.activeDeadlineSeconds, old.activeDeadlineSeconds, errors.at('activeDeadlineSeconds'))) return
  validateMoreTolerations(spec, old, errors.at('tolerations'))
  validateFewerGates(spec, old, errors.at('schedulingGates'))
  const allowed = draft(spec)
  for (const list of ['containers', 'initContainers'] as const) {
    allowed[list]?.forEach((container, index) => {
      const image = old[list]?.[index]?.image
      if (image === undefined) delete container.image
      else container.image = image
    })
  }
  restore(allowed, old, ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'])
  if (old.terminationGracePeriodSeconds < 0 && spec.terminationGracePeriodSeconds === 1)
    restore(allowed, old, ['terminationGracePeriodSeconds'])
  if ((old.schedulingGates ?? []).length > 0) validateGatedUpdate(allowed, old, errors)
  if (!equal(allowed, old)) errors.forbidden(`pod updates may not change fields other than ${UPDATABLE}\n${differenceOf(old, allowed)}`)
}

function restore(spec: Mutable<PodSpec>, old: PodSpec, names: readonly (keyof PodSpec)[]): void {
  const target = spec as Record<string, unknown>
  for (const name of names) {
    if (old[name] === undefined) delete target[name]
    else target[name] = draft(old[name])
  }
}

/** The fields that differ, for the reader of the message. */
export function differenceOf(old: object, now: object): string {
  const before = old as Readonly<Record<string, unknown>>
  const after = now as Readonly<Record<string, unknown>>
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(name => !equal(before[name], after[name]))
  const lines = names.flatMap(name => [`-\t${name}: ${JSON.stringify(before[name])}`, `+\t${name}: ${JSON.stringify(after[name])}`])
  return ['@@ -1 +1 @@', ...lines].join('\n')
}

function validateDeadline(now: number | undefined, old: number | undefined, errors: FieldErrors): boolean {
  if (now === undefined) {
    if (old !== undefined) errors.invalid(null, 'must not update from a positive integer to nil value')
    return true
  }
  const wrong = isInRange(now, 0, 2147483647)
  errors.invalidEach(now, wrong)
  if (wrong.length > 0) return false
  if (old === undefined || old >= now) return true
  errors.invalid(now, 'must be less than or equal to previous value')
  return false
}

function validateMoreTolerations({ tolerations = [] }: PodSpec, old: PodSpec, errors: FieldErrors): void {
  for (const { tolerationSeconds: _, ...before } of old.tolerations ?? []) {
    const isKept = tolerations.some(({ tolerationSeconds: _, ...after }) => equal(before, after))
    if (!isKept) {
      errors.forbidden('existing toleration can not be modified except its tolerationSeconds')
      return
    }
  }
  validateTolerations(tolerations, errors)
}

function validateFewerGates({ schedulingGates = [] }: PodSpec, old: PodSpec, errors: FieldErrors): void {
  schedulingGates.forEach(({ name }, index) => {
    if (old.schedulingGates?.some(gate => gate.name === name)) return
    errors.index(index).at('name').forbidden(`only deletion is allowed, but found new scheduling gate '${name}'`)
  })
}

/** While it is gated, a pod's choice of nodes may become narrower. */
function validateGatedUpdate(spec: Mutable<PodSpec>, old: PodSpec, errors: FieldErrors): void {
  if (!equal(spec.nodeSelector, old.nodeSelector)) {
    for (const [key, value] of Object.entries(old.nodeSelector ?? {})) {
      if (spec.nodeSelector?.[key] === value) continue
      errors
        .at('nodeSelector')
        .invalid(spec.nodeSelector ?? null, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)')
      break
    }
    restore(spec, old, ['nodeSelector'])
  }
  const before = old.affinity?.nodeAffinity
  const after = spec.affinity?.nodeAffinity
  if (equal(before, after)) return
  validateNarrowerAffinity(after, before, errors.at('affinity').at('nodeAffinity').at('requiredDuringSchedulingIgnoredDuringExecution'))
  if (old.affinity === undefined && spec.affinity?.podAffinity === undefined && spec.affinity?.podAntiAffinity === undefined) {
    delete spec.affinity
    return
  }
  spec.affinity ??= {}
  if (before === undefined) delete spec.affinity.nodeAffinity
  else spec.affinity.nodeAffinity = draft(before)
}

type NodeAffinity = NonNullable<NonNullable<PodSpec['affinity']>['nodeAffinity']>

function validateNarrowerAffinity(now: NodeAffinity | undefined, old: NodeAffinity | undefined, errors: FieldErrors): void {
  const before = old?.requiredDuringSchedulingIgnoredDuringExecution
  const after = now?.requiredDuringSchedulingIgnoredDuringExecution
  if (!before || before.nodeSelectorTerms.length === 0) return
  if (!after) {
    errors.at('nodeSelectorTerms').required('cannot be unset')
    return
  }
  if (after.nodeSelectorTerms.length !== before.nodeSelectorTerms.length) {
    errors
      .at('nodeSelectorTerms')
      .invalid(after.nodeSelectorTerms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')
    return
  }
  before.nodeSelectorTerms.forEach((term, index) => {
    const current = after.nodeSelectorTerms[index]
    const isKept = (name: 'matchExpressions' | 'matchFields') =>
      (term[name] ?? []).every((requirement, position) => equal(requirement, current?.[name]?.[position]))
    const isEmpty = (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0
    if (isEmpty ? !equal(term, current) : !isKept('matchExpressions') || !isKept('matchFields')) {
      errors.at('nodeSelectorTerms').index(index).invalid(current, 'only additions are allowed (no mutations or deletions)')
    }
  })
}

function validateEphemeralUpdate(pod: Pod, old: Pod, errors: FieldErrors): void {
  validatePod(pod, errors)
  if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined)
    errors.at('').forbidden('static pods do not support ephemeral containers')
  const at = errors.at('spec').at('ephemeralContainers')
  for (const before of old.spec.ephemeralContainers ?? []) {
    const after = pod.spec.ephemeralContainers?.find(({ name }) => name === before.name)
    if (!after) at.forbidden(`existing ephemeral containers "${before.name}" may not be removed\n`)
    else if (!equal(before, after)) {
      at.forbidden(`existing ephemeral containers "${before.name}" may not be changed\n${differenceOf(before, after)}`)
    }
  }
}

const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized']

function validateStatusUpdate(pod: Pod, old: Pod, errors: FieldErrors): void {
  const { status, spec } = pod
  status.conditions?.forEach(({ type }, index) => {
    if (SYSTEM_CONDITIONS.includes(type)) return
    errors.at('status').at('conditions').index(index).at('Type').invalidEach(type, isQualifiedName(type))
  })
  const at = errors.at('status')
  const nominated = status.nominatedNodeName
  if (nominated && nominated !== old.status.nominatedNodeName) {
    at.at('nominatedNodeName').invalidEach(nominated, nameIsDNSSubdomain(nominated, false))
  }
  validateImmutable(status.qosClass ?? '', old.status.qosClass ?? '', at.at('qosClass'))
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  const policyOf = new Map([...spec.containers, ...(spec.initContainers ?? [])].map(({ name, restartPolicy }) => [name, restartPolicy]))
  const mayRestart = (name: string, exitCode: number) => {
    const policy = policyOf.get(name) ?? spec.restartPolicy
    return policy === 'Always' || sidecars.has(name) || (policy === 'OnFailure' && exitCode !== 0)
  }
  for (const list of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const) {
    validateTransitions(status[list], old.status[list], list === 'ephemeralContainerStatuses' ? () => false : mayRestart, at.at(list))
  }
  validateClaimStatuses(pod, at.at('resourceClaimStatuses'))
  validateIPs(status.podIPs, at.at('podIPs'))
  if (status.hostIPs && status.hostIPs.length > 0) {
    const first = status.hostIPs[0]!.ip
    if (first !== (status.hostIP ?? '')) at.at('hostIPs').index(0).at('ip').invalid(first, 'must be equal to `hostIP`')
    validateIPs(status.hostIPs, at.at('hostIPs'))
  }
}

/** A container that has ended for good does not run again. */
function validateTransitions(
  statuses: readonly ContainerStatus[] | undefined,
  old: readonly ContainerStatus[] | undefined,
  mayRestart: (name: string, exitCode: number) => boolean,
  errors: FieldErrors,
): void {
  old?.forEach(({ name, state: { terminated } }, index) => {
    if (!terminated || mayRestart(name, terminated.exitCode)) return
    if (statuses?.some(status => status.name === name && !status.state.terminated)) {
      errors.index(index).at('state').forbidden('may not be transitioned to non-terminated state')
    }
  })
}

function validateClaimStatuses({ spec, status }: Pod, errors: FieldErrors): void {
  const seen = new Set<string>()
  status.resourceClaimStatuses?.forEach(({ name, resourceClaimName }, index) => {
    const at = errors.index(index).at('name')
    if (!spec.resourceClaims?.some(claim => claim.name === name))
      at.invalid(name, 'must match the name of an entry in `spec.resourceClaims`')
    if (seen.has(name)) at.duplicate(name)
    seen.add(name)
    if (resourceClaimName !== undefined) at.invalidEach(resourceClaimName, nameIsDNSSubdomain(resourceClaimName, false))
  })
}

/** Addresses of a pod or its node: one of each family at most. */
function validateIPs(ips: readonly { readonly ip: string }[] | undefined, errors: FieldErrors): void {
  if (!ips) return
  const seen = new Set<string>()
  ips.forEach(({ ip }, index) => {
    validateIP(ip, errors.index(index))
    if (seen.has(ip)) errors.index(index).duplicate({ ip })
    seen.add(ip)
  })
  if (ips.length > 2 || (ips.length === 2 && !isDualStack(ips.map(({ ip }) => parseIP(ip))))) {
    errors.invalid(ips, 'may specify no more than one IP for each IP family')
  }
}
