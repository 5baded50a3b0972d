import { draft } from '#machinery/kind/draft.ts'
import type { Mutable, WriteContext } from '#machinery/kind/kind.ts'
import { timeOf } from '#machinery/time/time.ts'
import type { LabelSelector } from '../../meta/v1/label-selector.ts'
import type { PodAffinityTerm } from './affinity.ts'
import type { Container } from './container.ts'
import type { EphemeralContainer } from './ephemeral-container.ts'
import { qosClassOf } from './pod.facts.ts'
import type { Pod } from './pod.ts'
import { APPARMOR_PREFIX } from './pod-annotations.rules.ts'
import type { AppArmorProfile } from './security-context.ts'

/** A new pod is pending, and so stays while a gate holds it. */
export function preparePod(pod: Mutable<Pod>, { now }: WriteContext): void {
  pod.status = { phase: 'Pending', qosClass: qosClassOf(pod as Pod) }
  if ((pod.spec.schedulingGates ?? []).length > 0) {
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        lastProbeTime: null,
        lastTransitionTime: timeOf(now),
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ]
  }
  selectByLabelKeys(pod)
  adoptAppArmorAnnotations(pod)
}

/** What a write of the pod, or of one of its subresources, leaves as it was. */
export function preparePodUpdate(pod: Mutable<Pod>, old: Pod, { subresource }: WriteContext): void {
  switch (subresource) {
    case 'status': {
      pod.metadata.ownerReferences = draft(old.metadata.ownerReferences)
      if (pod.metadata.ownerReferences === undefined) delete pod.metadata.ownerReferences
      if (old.status.qosClass !== undefined) pod.status.qosClass ??= old.status.qosClass
      return
    }
    case 'ephemeralcontainers': {
      const added: Mutable<EphemeralContainer>[] | undefined = pod.spec.ephemeralContainers
      pod.spec = draft(old.spec)
      if (added) pod.spec.ephemeralContainers = added
      else delete pod.spec.ephemeralContainers
      return
    }
    case 'resize': {
      const { containers, initContainers } = pod.spec
      pod.spec = draft(old.spec)
      resize(pod.spec.containers, containers)
      if (pod.spec.initContainers) resize(pod.spec.initContainers, initContainers ?? [])
    }
  }
}

function resize(containers: Mutable<Container>[], wanted: readonly Mutable<Container>[]): void {
  for (const container of containers) {
    const size = wanted.find(({ name }) => name === container.name)
    if (!size) continue
    container.resources = size.resources
    if (size.resizePolicy) container.resizePolicy = size.resizePolicy
    else delete container.resizePolicy
  }
}

/** `matchLabelKeys`: the values that the pod itself has under these keys become part of the selectors. */
function selectByLabelKeys({ metadata, spec }: Mutable<Pod>): void {
  const labels = metadata.labels ?? {}
  const add = (selector: Mutable<LabelSelector> | undefined, keys: readonly string[] | undefined, operator: 'In' | 'NotIn') => {
    if (!selector) return
    for (const key of keys ?? []) {
      const value = labels[key]
      if (value !== undefined) selector.matchExpressions = [...(selector.matchExpressions ?? []), { key, operator, values: [value] }]
    }
  }
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    const terms: Mutable<PodAffinityTerm>[] = [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(({ podAffinityTerm }) => podAffinityTerm),
    ]
    for (const term of terms) {
      add(term.labelSelector, term.matchLabelKeys, 'In')
      add(term.labelSelector, term.mismatchLabelKeys, 'NotIn')
    }
  }
  for (const constraint of spec.topologySpreadConstraints ?? []) add(constraint.labelSelector, constraint.matchLabelKeys, 'In')
}

/** A profile that only an annotation names becomes the container's. */
function adoptAppArmorAnnotations({ metadata, spec }: Mutable<Pod>): void {
  if (!metadata.annotations || spec.os?.name === 'windows') return
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const text = metadata.annotations[APPARMOR_PREFIX + container.name]
    if (text === undefined || container.securityContext?.appArmorProfile) continue
    const profile = profileOf(text)
    if (profile) container.securityContext = { ...container.securityContext, appArmorProfile: profile }
  }
}

function profileOf(text: string): AppArmorProfile | undefined {
  if (text === 'unconfined') return { type: 'Unconfined' }
  if (text === 'runtime/default') return { type: 'RuntimeDefault' }
  const name = text.startsWith('localhost/') ? text.slice('localhost/'.length) : ''
  return name === '' ? undefined : { type: 'Localhost', localhostProfile: name }
}
