import { draft, equal } from '#machinery/kind/draft.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { Container } from './container.ts'
import { isSidecar, MIRROR_ANNOTATION, qosClassOf } from './pod.facts.ts'
import type { Pod } from './pod.ts'
import type { ResourceRequirements } from './resource-requirements.ts'

/** How much cpu and memory the containers of a running pod may use: changed in place, but not so that its QoS class would change. */
export function validateResizedPod(pod: Pod, old: Pod, errors: FieldErrors): void {
  if (old.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) {
    errors.at('').forbidden('static pods cannot be resized')
    return
  }
  if (old.spec.os?.name === 'windows') {
    errors.at('').forbidden('windows pods cannot be resized')
    return
  }
  const at = errors.at('spec')
  const qos = old.status.qosClass ?? qosClassOf(old)
  if (qosClassOf(pod) !== qos) at.invalid(pod.status.qosClass ?? qos, 'Pod QOS Class may not change as a result of resizing')
  const running = old.status.containerStatuses?.find(status => status.state.running)
  if (running && running.resources === undefined) at.forbidden('Pod running on node without support for resize')
  validateContainerSizes(pod.spec.initContainers ?? [], old.spec.initContainers ?? [], at, 'initContainers')
  validateContainerSizes(pod.spec.containers, old.spec.containers, at, 'containers')
}

function validateContainerSizes(
  containers: readonly Container[],
  old: readonly Container[],
  errors: FieldErrors,
  list: 'containers' | 'initContainers',
): void {
  old.forEach((before, index) => {
    const after = containers[index]
    if (!after) return
    const isInit = list === 'initContainers'
    if (isInit && !isSidecar(before)) {
      if (!equal(before, after)) errors.forbidden('resources for non-sidecar init containers are immutable')
      return
    }
    validateSizes(after, before.resources, errors.at(list).index(index).at('resources'))
    if (!equal(withSizesOf(after, before), before)) {
      errors.forbidden(
        isInit ? 'only cpu and memory resources for sidecar containers are mutable' : 'only cpu and memory resources are mutable',
      )
    }
  })
}

function validateSizes({ resources }: Container, old: ResourceRequirements, errors: FieldErrors): void {
  for (const [list, what] of [
    ['requests', 'resource requests'],
    ['limits', 'resource limits'],
  ] as const) {
    const isRemoved = Object.keys(old[list] ?? {}).some(name => resources[list]?.[name] === undefined)
    if (isRemoved) errors.at(list).forbidden(`${what} cannot be removed`)
  }
}

/** The container with the old amounts of cpu and memory: what differs then is what may not change. */
function withSizesOf(container: Container, old: Container): Container {
  const copy = draft(container)
  for (const list of ['requests', 'limits'] as const) {
    const before = old.resources[list]
    const after = { ...copy.resources[list] }
    for (const name of ['cpu', 'memory']) {
      if (before?.[name] === undefined) delete after[name]
      else if (after[name] === undefined || Quantity.parse(after[name]).compare(Quantity.parse(before[name])) !== 0)
        after[name] = before[name]
    }
    if (Object.keys(after).length === 0) delete copy.resources[list]
    else copy.resources[list] = after
  }
  if (old.resizePolicy === undefined) delete copy.resizePolicy
  else copy.resizePolicy = draft(old.resizePolicy)
  return copy as Container
}
