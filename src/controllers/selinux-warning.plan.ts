import type { Pod } from '#kinds/core/v1/pod.ts'
import type { SELinuxOptions } from '#kinds/core/v1/security-context.ts'

/** How a pod uses a volume, as far as SELinux is concerned. */
export interface VolumeUse {
  readonly namespace: string
  readonly pod: string
  /** `user:role:type:level` with empty parts where nothing is said; '' if nothing is said at all. */
  readonly label: string
  readonly policy: 'MountOption' | 'Recursive'
}

/** Why two pods should not share a volume on one node: an event for the first of them. */
export interface Conflict {
  readonly reason: 'SELinuxChangePolicyConflict' | 'SELinuxLabelConflict'
  readonly message: string
}

/**
 * How a pod uses one of its volumes; undefined if it does not mount it, 'several labels' if its own containers disagree.
 *
 * @param mountsWithContext whether the volume's driver mounts with a context at all (`seLinuxMount`)
 */
export function planUse({ metadata, spec }: Pod, volume: string, mountsWithContext: boolean): VolumeUse | 'several labels' | undefined {
  const labels = new Set<string>()
  let isMounted = false
  for (const { volumeMounts = [], securityContext } of [...(spec.initContainers ?? []), ...spec.containers]) {
    if (!volumeMounts.some(({ name }) => name === volume)) continue
    isMounted = true
    // What is privileged may read anything, whatever its label.
    if (securityContext?.privileged) continue
    labels.add(labelOf(securityContext?.seLinuxOptions ?? spec.securityContext?.seLinuxOptions))
  }
  if (!isMounted) return undefined
  if (labels.size > 1) return 'several labels'
  const wanted = spec.securityContext?.seLinuxChangePolicy ?? 'MountOption'
  const [asked = ''] = labels
  const policy = mountsWithContext && wanted !== 'Recursive' && asked !== '' ? 'MountOption' : 'Recursive'
  const label = policy === 'MountOption' ? asked : ''
  return { namespace: metadata.namespace ?? '', pod: metadata.name ?? '', label, policy }
}

/** What the first pod is told of the second, which uses the same volume. */
export function conflictsOf(one: VolumeUse, other: VolumeUse): Conflict[] {
  const conflicts: Conflict[] = []
  if (one.policy !== other.policy)
    conflicts.push({
      reason: 'SELinuxChangePolicyConflict',
      message: messageOf('SELinuxChangePolicy', one, other, one.policy, other.policy),
    })
  if (disagree(one.label, other.label))
    conflicts.push({ reason: 'SELinuxLabelConflict', message: messageOf('SELinuxLabel', one, other, one.label, other.label) })
  return conflicts
}

/** A node may fill in what a label leaves open: only parts that both name can disagree. */
function disagree(one: string, other: string): boolean {
  const [parts, others] = [partsOf(one), partsOf(other)]
  return parts.some((part, index) => part !== '' && (others[index] ?? '') !== '' && part !== others[index])
}

/** The level, the last part, may hold colons itself. */
function partsOf(label: string): string[] {
  const [user = '', role = '', type = '', ...level] = label.split(':')
  return [user, role, type, level.join(':')]
}

/** Of a pod in another namespace nothing is told. */
function messageOf(property: string, one: VolumeUse, other: VolumeUse, value: string, otherValue: string): string {
  const end = 'If both pods land on the same node, only one of them may access the volume.'
  if (one.namespace !== other.namespace)
    return `${property}"${value}" conflicts with another pod that uses the same volume as this pod with a different ${property}. ${end}`
  return `${property} "${value}" conflicts with pod ${other.pod} that uses the same volume as this pod with ${property} "${otherValue}". ${end}`
}

function labelOf(options: SELinuxOptions | undefined): string {
  const { user = '', role = '', type = '', level = '' } = options ?? {}
  const label = [user, role, type, level].join(':')
  return label === ':::' ? '' : label
}
