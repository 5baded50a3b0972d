import { type PodLike, quoted, setters, unique, type Violation, valuesOf } from './check.ts'

/** Who turns the filter of system calls off; '' if nobody does. */
export function seccompSetters(pod: PodLike): string {
  return setters(pod, ({ seccompProfile }) => seccompProfile !== undefined && !isFiltering(seccompProfile.type))
}

export function seccompViolation(pod: PodLike, who: string): Violation {
  const types = unique(valuesOf(pod, ({ seccompProfile }) => seccompProfile?.type).filter(type => !isFiltering(type)))
  return { reason: 'seccompProfile', detail: `${who} must not set securityContext.seccompProfile.type to ${quoted(types)}` }
}

export function isFiltering(type: string | undefined): boolean {
  return type === 'Localhost' || type === 'RuntimeDefault'
}
