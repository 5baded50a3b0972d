import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'
import { validateDescendingPath } from './path.rules.ts'
import { allContainers, MIRROR_ANNOTATION } from './pod.facts.ts'
import type { PodSpec } from './pod-spec.ts'

type Annotations = Readonly<Record<string, string>> | undefined

export const APPARMOR_PREFIX = 'container.apparmor.security.beta.kubernetes.io/'
export const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod'
export const SECCOMP_PREFIX = 'container.seccomp.security.alpha.kubernetes.io/'
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

/** Annotations that mean something for a pod. `errors` stands at the annotations. */
export function validatePodAnnotations(annotations: Annotations, spec: PodSpec, errors: FieldErrors): void {
  const mirror = annotations?.[MIRROR_ANNOTATION]
  if (mirror !== undefined && !spec.nodeName) {
    errors.key(MIRROR_ANNOTATION).invalid(mirror, 'must set spec.nodeName if mirror pod annotation is set')
  }
  const cost = annotations?.[DELETION_COST]
  if (cost !== undefined && !isInt32(cost)) errors.key(DELETION_COST).invalid(cost, 'must be a 32bit integer')
  for (const [key, value] of sortedEntries(annotations)) {
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_PREFIX)) validateSeccompText(value, errors.at(key))
    if (key.startsWith(APPARMOR_PREFIX)) validateAppArmorText(key, value, spec, errors.key(key))
  }
}

function isInt32(text: string): boolean {
  return /^(0|-?[1-9][0-9]{0,9})$/.test(text) && Math.abs(Number(text)) <= 2147483647
}

function validateSeccompText(profile: string, errors: FieldErrors): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(profile)) return
  if (profile.startsWith('localhost/')) validateDescendingPath(profile.slice('localhost/'.length), errors)
  else errors.invalid(profile, 'must be a valid seccomp profile')
}

function validateAppArmorText(key: string, profile: string, spec: PodSpec, errors: FieldErrors): void {
  const container = key.slice(APPARMOR_PREFIX.length)
  if (![...allContainers(spec)].some(({ name }) => name === container)) errors.invalid(container, 'container not found')
  if (profile === '' || profile === 'runtime/default' || profile === 'unconfined' || profile.startsWith('localhost/')) return
  errors.invalid(profile, `invalid AppArmor profile name: ${quote(profile)}`)
}

/** Profiles that are said twice, in a field and in an annotation, must be the same. `errors` stands at the spec. */
export function validateProfileAnnotations(annotations: Annotations, spec: PodSpec, errors: FieldErrors): void {
  if (!annotations) return
  const pod = spec.securityContext
  const seccomp = annotations[SECCOMP_POD]
  if (pod.seccompProfile && seccomp !== undefined) {
    validateSame('seccomp', pod.seccompProfile, seccomp, errors.at('securityContext').at('seccompProfile'))
  }
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    spec[list]?.forEach(({ name, securityContext }, index) => {
      const at = errors.at(list).index(index).at('securityContext')
      const own = annotations[SECCOMP_PREFIX + name]
      if (securityContext?.seccompProfile && own !== undefined) {
        validateSame('seccomp', securityContext.seccompProfile, own, at.at('seccompProfile'))
      }
      const profile = securityContext?.appArmorProfile ?? pod.appArmorProfile
      const armor = annotations[APPARMOR_PREFIX + name]
      if (profile && armor !== undefined && spec.os?.name !== 'windows') validateSame('apparmor', profile, armor, at.at('appArmorProfile'))
    })
  }
}

interface Profile {
  readonly type: string
  readonly localhostProfile?: string | undefined
}

function validateSame(what: 'seccomp' | 'apparmor', { type, localhostProfile }: Profile, annotation: string, errors: FieldErrors): void {
  const isSameType =
    type === 'Unconfined'
      ? annotation === 'unconfined'
      : type === 'RuntimeDefault'
        ? annotation === 'runtime/default' || (what === 'seccomp' && annotation === 'docker/default')
        : type !== 'Localhost' || annotation.startsWith('localhost/')
  if (!isSameType) errors.at('type').forbidden(`${what} type in annotation and field must match`)
  else if (type === 'Localhost' && annotation.slice('localhost/'.length) !== localhostProfile) {
    errors.at('localhostProfile').forbidden(`${what} profile in annotation and field must match`)
  }
}
