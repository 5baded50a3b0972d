import type { Container } from '#kinds/core/v1/container.ts'
import { allContainers } from '#kinds/core/v1/pod.facts.ts'
import type { PodSpec } from '#kinds/core/v1/pod-spec.ts'
import type { PodSecurityContext, SecurityContext } from '#kinds/core/v1/security-context.ts'
import { quote } from '#machinery/status/go-text.ts'

/** A pod, or the template that pods are made from. */
export interface PodLike {
  readonly annotations: Readonly<Record<string, string>>
  readonly spec: PodSpec
}

/** Why a pod is not allowed. */
export interface Violation {
  readonly reason: string
  readonly detail: string
}

/** One rule of the Pod Security Standards. */
export interface Check {
  readonly id: string
  /** The minor version of Kubernetes from which on it holds. */
  readonly since: number
  /** The check of the lower level that it takes the place of. */
  readonly replaces?: string
  run(pod: PodLike, minor: number): Violation | undefined
}

/** Every container, with its rights. */
export function containersOf({ spec }: PodLike): readonly Container[] {
  return [...allContainers(spec)] as readonly Container[]
}

/** The names of the containers for which `isBad`. */
export function namesOf(pod: PodLike, isBad: (container: Container) => boolean): string[] {
  return containersOf(pod)
    .filter(isBad)
    .map(({ name }) => name)
}

/**
 * Who sets something badly: `pod and containers "a", "b"`; '' if nobody does. `isBad` is asked of the pod's own rights, and of those of
 * each container.
 */
export function setters(pod: PodLike, isBad: (rights: PodSecurityContext | SecurityContext) => boolean): string {
  const containers = namesOf(pod, ({ securityContext }) => securityContext !== undefined && isBad(securityContext))
  const all = pod.spec.securityContext && isBad(pod.spec.securityContext) ? ['pod'] : []
  if (containers.length > 0) all.push(named('container', containers))
  return all.join(' and ')
}

/** `container "a"`, `containers "a", "b"`. */
export function named(word: string, names: readonly string[]): string {
  return `${plural(word, names.length)} ${quoted(names)}`
}

export function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`
}

export function quoted(values: readonly string[]): string {
  return values.map(quote).join(', ')
}

/** Each once, in order. */
export function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort()
}

/** Whether the pod's root is not the node's: then some rules are needless. */
export function hasOwnUsers({ spec }: PodLike): boolean {
  return spec.hostUsers === false
}

export function isWindows({ spec }: PodLike): boolean {
  return spec.os?.name === 'windows'
}

/** What somebody's rights set of `field`, wherever it is set. */
export function valuesOf<T>(pod: PodLike, field: (rights: PodSecurityContext | SecurityContext) => T | undefined): T[] {
  const all = [pod.spec.securityContext, ...containersOf(pod).map(({ securityContext }) => securityContext)]
  return all.flatMap(rights => (rights && field(rights)) ?? [])
}
