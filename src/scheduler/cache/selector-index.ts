import type { LabelSelector } from '#machinery/selectors/label-selector.ts'

/** What selects pods: by namespace and by labels. */
export interface PodSelector {
  /** The namespaces it is about; undefined: any, as far as it says itself. */
  readonly namespaces: ReadonlySet<string> | undefined
  readonly selector: LabelSelector
}

/**
 * Finds, for a pod, the selectors that may mean it: filed under a namespace and, where a selector asks for one value of a label, under that
 * label. Whoever asks still has to check.
 */
export class SelectorIndex<T extends PodSelector> {
  readonly #files = new Map<string, Set<T>>()

  add(item: T): void {
    for (const key of keysOf(item)) {
      const file = this.#files.get(key)
      if (file) file.add(item)
      else this.#files.set(key, new Set([item]))
    }
  }

  remove(item: T): void {
    for (const key of keysOf(item)) {
      const file = this.#files.get(key)
      file?.delete(item)
      if (file?.size === 0) this.#files.delete(key)
    }
  }

  /** Calls `found` for each item that may mean a pod with these labels in this namespace; each at most once. */
  forEach(namespace: string, labels: Readonly<Record<string, string>> | undefined, found: (item: T) => void): void {
    if (this.#files.size === 0) return
    this.#in(namespace, labels, found)
    this.#in(ANY, labels, found)
  }

  #in(namespace: string, labels: Readonly<Record<string, string>> | undefined, found: (item: T) => void): void {
    this.#files.get(namespace)?.forEach(found)
    for (const key in labels) this.#files.get(`${namespace} ${key}=${labels[key]}`)?.forEach(found)
  }
}

/** No namespace has this name. */
const ANY = '*'

function keysOf({ namespaces, selector }: PodSelector): string[] {
  const exact = selector.requirements.find(one => (one.operator === '=' || one.operator === 'in') && one.values.length === 1)
  const label = exact ? ` ${exact.key}=${exact.values[0]}` : ''
  return [...(namespaces ?? [ANY])].map(namespace => `${namespace}${label}`)
}
