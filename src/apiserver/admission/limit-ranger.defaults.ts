import type { Container } from '#kinds/core/v1/container.ts'
import type { LimitRangeItem } from '#kinds/core/v1/limit-range.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Mutable } from '#machinery/kind/kind.ts'

const ANNOTATION = 'kubernetes.io/limit-ranger'

type Amounts = Readonly<Record<string, string>>

/** Fills in what containers do not say of their requests and limits, and notes in an annotation what was filled in. */
export function setDefaultResources(pod: Mutable<Pod>, items: readonly LimitRangeItem[]): void {
  const defaults = { requests: {} as Record<string, string>, limits: {} as Record<string, string> }
  for (const item of items) {
    if (item.type !== 'Container') continue
    Object.assign(defaults.requests, item.defaultRequest)
    Object.assign(defaults.limits, item.default)
  }
  const notes = [
    ...pod.spec.containers.flatMap(container => fill(container, defaults, 'container')),
    ...(pod.spec.initContainers ?? []).flatMap(container => fill(container, defaults, 'init container')),
  ]
  if (notes.length === 0) return
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${notes.join('; ')}` }
}

/** Fills in one container and says what. */
function fill(container: Mutable<Container>, defaults: { requests: Amounts; limits: Amounts }, what: string): string[] {
  const notes: string[] = []
  for (const [list, word] of LISTS) {
    const given = container.resources[list] ?? {}
    const missing = Object.keys(defaults[list]).filter(name => given[name] === undefined)
    if (missing.length === 0) continue
    const added = Object.fromEntries(missing.map(name => [name, defaults[list][name]!]))
    container.resources = { ...container.resources, [list]: { ...given, ...added } }
    notes.push(`${missing.sort().join(', ')} ${word} for ${what} ${container.name}`)
  }
  return notes
}

const LISTS = [
  ['requests', 'request'],
  ['limits', 'limit'],
] as const
