import type { Container } from '#kinds/core/v1/container.ts'
import type { ResourceFieldSelector } from '#kinds/core/v1/env-var.ts'
import type { EphemeralContainer } from '#kinds/core/v1/ephemeral-container.ts'
import { allContainers } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'

/** What of a pod is known only once it runs. */
export interface RunningFacts {
  readonly podIPs: readonly string[]
  readonly nodeIPs: readonly string[]
  readonly allocatable: Readonly<Record<string, string>>
}

/** The value that a `fieldRef` means, as the downward API has it; throws on a path there is none for. */
export function fieldOf(pod: Pod, fieldPath: string, running: RunningFacts): string {
  const meta = pod.metadata
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath)
  if (subscript) return meta[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? ''
  switch (fieldPath) {
    case 'metadata.name':
      return meta.name ?? ''
    case 'metadata.namespace':
      return meta.namespace ?? ''
    case 'metadata.uid':
      return meta.uid ?? ''
    case 'metadata.labels':
      return lines(meta.labels)
    case 'metadata.annotations':
      return lines(meta.annotations)
    case 'spec.nodeName':
      return pod.spec.nodeName ?? ''
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? ''
    case 'status.hostIP':
      return running.nodeIPs[0] ?? ''
    case 'status.hostIPs':
      return running.nodeIPs.join(',')
    case 'status.podIP':
      return running.podIPs[0] ?? ''
    case 'status.podIPs':
      return running.podIPs.join(',')
    default:
      throw new Error(`unsupported fieldPath: ${fieldPath}`)
  }
}

/** One `key="value"` per line, by key. */
function lines(map: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n')
}

/** The amount that a `resourceFieldRef` means, in units of its divisor, rounded up. Without a limit the node's allocatable counts. */
export function resourceFieldOf(
  pod: Pod,
  selector: ResourceFieldSelector,
  own: Container | EphemeralContainer | undefined,
  running: RunningFacts,
): string {
  const container = selector.containerName ? findContainer(pod, selector.containerName) : own
  if (!container) throw new Error(`container ${selector.containerName ?? ''} not found`)
  const [kind, name] = splitOnce(selector.resource)
  if ((kind !== 'limits' && kind !== 'requests') || name === '') throw new Error(`unsupported container resource : ${selector.resource}`)
  const resources = container.resources
  const text = resources?.[kind]?.[name] ?? (kind === 'limits' ? running.allocatable[name] : undefined) ?? '0'
  const divisor = selector.divisor === '' || selector.divisor === '0' ? Quantity.of(1) : Quantity.parse(selector.divisor)
  const amount = Quantity.parse(text)
  if (name === 'cpu') return String(Math.ceil(amount.toMilli() / Math.max(1, divisor.toMilli())))
  return String(Math.ceil(amount.toNumber() / Math.max(1, divisor.toNumber())))
}

function findContainer(pod: Pod, name: string): Container | EphemeralContainer | undefined {
  for (const container of allContainers(pod.spec)) if (container.name === name) return container
  return undefined
}

function splitOnce(text: string): [string, string] {
  const dot = text.indexOf('.')
  return dot < 0 ? [text, ''] : [text.slice(0, dot), text.slice(dot + 1)]
}
