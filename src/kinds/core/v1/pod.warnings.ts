import { Quantity } from '#machinery/quantity/quantity.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'
import type { Pod } from './pod.ts'
import { APPARMOR_PREFIX, SECCOMP_POD, SECCOMP_PREFIX } from './pod-annotations.rules.ts'
import type { PodSpec } from './pod-spec.ts'

/** What to tell someone who writes a pod, or (at `path`) a template of pods, that is valid but not what they may think. */
export function podWarnings(
  { metadata, spec }: Pick<Pod, 'spec'> & { readonly metadata: Pod['metadata'] },
  path = '',
  isPod = true,
): string[] {
  const warnings: string[] = []
  const warn = (field: string, text: string) => warnings.push(`${path}${field}: ${text}`)
  for (const [index, { volumeName, text }] of deprecatedVolumes(spec)) warn(`spec.volumes[${index}].${volumeName}`, text)
  for (const [key] of sortedEntries(metadata.annotations)) warnOfAnnotation(key, spec, isPod, warn)
  warnOfNodeLabels(spec, warn)
  warnOfRepetition(spec, warn)
  if (isPod && spec.terminationGracePeriodSeconds < 0) {
    warn('spec.terminationGracePeriodSeconds', 'must be >= 0; negative values are invalid and will be treated as 1')
  }
  for (const [name, amount] of sortedEntries(spec.overhead)) warnOfFraction(`spec.overhead[${name}]`, name, amount, warn)
  return warnings
}

type Warn = (field: string, text: string) => void

const VOLUMES: readonly (readonly [keyof NonNullable<PodSpec['volumes']>[number], string])[] = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
]

function* deprecatedVolumes({ volumes = [] }: PodSpec): Generator<[number, { readonly volumeName: string; readonly text: string }]> {
  for (const [index, volume] of volumes.entries()) {
    for (const [volumeName, text] of VOLUMES) if (volume[volumeName] !== undefined) yield [index, { volumeName, text }]
  }
}

function warnOfAnnotation(key: string, spec: PodSpec, isPod: boolean, warn: Warn): void {
  const field = `metadata.annotations[${key}]`
  if (key === SECCOMP_POD || key.startsWith(SECCOMP_PREFIX)) {
    warn(field, 'non-functional in v1.27+; use the "seccompProfile" field instead')
  } else if (key === 'scheduler.alpha.kubernetes.io/critical-pod') {
    warn(field, 'non-functional in v1.16+; use the "priorityClassName" field instead')
  } else if (key.startsWith(APPARMOR_PREFIX) && (isPod || !hasProfile(spec, key.slice(APPARMOR_PREFIX.length)))) {
    warn(field, 'deprecated since v1.30; use the "appArmorProfile" field instead')
  }
}

function hasProfile(spec: PodSpec, name: string): boolean {
  return spec.containers.some(container => container.name === name && container.securityContext?.appArmorProfile !== undefined)
}

const LABELS: ReadonlyMap<string, string> = new Map([
  ['beta.kubernetes.io/arch', 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ['beta.kubernetes.io/os', 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  ['failure-domain.beta.kubernetes.io/region', 'deprecated since v1.17; use "topology.kubernetes.io/region" instead'],
  ['failure-domain.beta.kubernetes.io/zone', 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'],
  ['beta.kubernetes.io/instance-type', 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'],
])

/** Labels of nodes that have other names now. */
function warnOfNodeLabels({ nodeSelector, affinity, topologySpreadConstraints = [] }: PodSpec, warn: Warn): void {
  for (const [key] of sortedEntries(nodeSelector)) {
    const text = LABELS.get(key)
    if (text) warn(`spec.nodeSelector[${key}]`, text)
  }
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const at = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  for (const [index, term] of terms.entries()) {
    for (const [position, { key }] of (term.matchExpressions ?? []).entries()) {
      const text = LABELS.get(key)
      if (text) warn(`${at}[${index}].matchExpressions[${position}].key`, `${key} is ${text}`)
    }
  }
  for (const [index, { topologyKey }] of topologySpreadConstraints.entries()) {
    const text = LABELS.get(topologyKey)
    if (text) warn(`spec.topologySpreadConstraints[${index}].topologyKey`, `${topologyKey} is ${text}`)
  }
}

/** Lists in which a later entry hides an earlier one. */
function warnOfRepetition(spec: PodSpec, warn: Warn): void {
  for (const [index, { name = '' }] of (spec.imagePullSecrets ?? []).entries()) {
    if (name === '') warn(`spec.imagePullSecrets[${index}].name`, `invalid empty name ${JSON.stringify(name)}`)
    else if (spec.imagePullSecrets?.findIndex(secret => secret.name === name) !== index) {
      warn(`spec.imagePullSecrets[${index}].name`, `duplicate name ${JSON.stringify(name)}`)
    }
  }
  for (const [index, { ip }] of (spec.hostAliases ?? []).entries()) {
    if (spec.hostAliases?.findIndex(alias => alias.ip === ip) !== index)
      warn(`spec.hostAliases[${index}].ip`, `duplicate ip ${JSON.stringify(ip)}`)
  }
  for (const list of ['initContainers', 'containers'] as const) {
    for (const [index, container] of (spec[list] ?? []).entries()) warnOfContainer(`spec.${list}[${index}]`, container, warn)
  }
}

function warnOfContainer(at: string, container: PodSpec['containers'][number], warn: Warn): void {
  for (const kind of ['limits', 'requests'] as const) {
    for (const [name, amount] of sortedEntries(container.resources[kind])) {
      warnOfFraction(`${at}.resources.${kind}[${name}]`, name, amount, warn)
    }
  }
  const seen = new Map<string, string>()
  for (const [index, { name, value = '' }] of (container.env ?? []).entries()) {
    const earlier = seen.get(name)
    if (earlier !== undefined && (value === '' || !value.includes(`$(${name})`))) {
      warn(`${at}.env[${index}]`, `hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`)
    }
    seen.set(name, value)
  }
}

function warnOfFraction(field: string, name: string, amount: string, warn: Warn): void {
  if (name !== 'memory' && name !== 'storage' && name !== 'ephemeral-storage' && !name.startsWith('hugepages-')) return
  if (Quantity.parse(amount).toMilli() % 1000 !== 0)
    warn(field, `fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`)
}
