import { allContainers } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { badRequest } from '#machinery/status/failures.ts'

/** The container that is meant: the one that was named, or the only one there is. */
export function containerOf(pod: Pod, asked: string): string {
  const name = pod.metadata.name ?? ''
  if (asked !== '') {
    for (const container of allContainers(pod.spec)) if (container.name === asked) return asked
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  const { containers, initContainers = [] } = pod.spec
  if (containers.length === 1) return containers[0]!.name
  const among = `choose one of: [${containers.map(one => one.name).join(' ')}]`
  const orInit = initContainers.length > 0 ? ` or one of the init containers: [${initContainers.map(one => one.name).join(' ')}]` : ''
  throw badRequest(`a container name must be specified for pod ${name}, ${among}${orInit}`)
}

/** The path of a pod on its kubelet, escaped. */
export function kubeletPath(verb: string, ...names: readonly string[]): string {
  return `/${[verb, ...names].map(encodeURIComponent).join('/')}`
}
