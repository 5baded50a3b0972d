/** Labels of Kubernetes' own that a kubelet may give its node. */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'node.kubernetes.io/windows-build',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const KUBELET_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const RESTRICTED = 'node-restriction.kubernetes.io'

type Labels = Readonly<Record<string, string>> | undefined

/** The labels that a kubelet would change though it must not: by them, pods are drawn to nodes. In order. */
export function forbiddenLabels(after: Labels = {}, before: Labels = {}): string[] {
  const changed = [...new Set([...Object.keys(after), ...Object.keys(before)])].filter(key => after[key] !== before[key])
  return changed.filter(isForbidden).sort()
}

function isForbidden(key: string): boolean {
  const slash = key.indexOf('/')
  const namespace = slash < 0 ? '' : key.slice(0, slash)
  const isIn = (domain: string) => namespace === domain || namespace.endsWith(`.${domain}`)
  if (isIn(RESTRICTED)) return true
  if (!isIn('kubernetes.io') && !isIn('k8s.io')) return false
  return !KUBELET_LABELS.has(key) && !KUBELET_NAMESPACES.some(isIn)
}
