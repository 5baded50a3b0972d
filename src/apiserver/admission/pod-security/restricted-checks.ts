import type { Container } from '#kinds/core/v1/container.ts'
import type { Volume } from '#kinds/core/v1/volume.ts'
import { procMountViolation } from './baseline-checks.ts'
import { type Check, containersOf, hasOwnUsers, isWindows, named, namesOf, plural, quoted, setters, unique } from './check.ts'
import { isFiltering, seccompSetters, seccompViolation } from './seccomp.ts'

/** The version since which pods for Windows are not asked for what only Linux knows. */
const WINDOWS_SINCE = 25

const allowPrivilegeEscalation: Check = {
  id: 'allowPrivilegeEscalation',
  since: 8,
  run(pod, minor) {
    if (minor >= WINDOWS_SINCE && isWindows(pod)) return undefined
    const names = namesOf(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
    if (names.length === 0) return undefined
    const detail = `${named('container', names)} must set securityContext.allowPrivilegeEscalation=false`
    return { reason: 'allowPrivilegeEscalation != false', detail }
  },
}

const capabilities: Check = {
  id: 'capabilities_restricted',
  since: 22,
  replaces: 'capabilities_baseline',
  run(pod, minor) {
    if (minor >= WINDOWS_SINCE && isWindows(pod)) return undefined
    const added = ({ securityContext }: Container) => (securityContext?.capabilities?.add ?? []).filter(name => name !== 'NET_BIND_SERVICE')
    const keeping = namesOf(pod, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'))
    const adding = namesOf(pod, container => added(container).length > 0)
    const details: string[] = []
    if (keeping.length > 0) details.push(`${named('container', keeping)} must set securityContext.capabilities.drop=["ALL"]`)
    if (adding.length > 0) {
      const all = unique(containersOf(pod).flatMap(added))
      details.push(`${named('container', adding)} must not include ${quoted(all)} in securityContext.capabilities.add`)
    }
    return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
  },
}

const procMount: Check = { id: 'procMount_restricted', since: 35, replaces: 'procMount', run: procMountViolation }

const VOLUMES: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

const restrictedVolumes: Check = {
  id: 'restrictedVolumes',
  since: 0,
  replaces: 'hostPathVolumes',
  run({ spec }) {
    const typeOf = (volume: Volume) => Object.keys(volume).find(key => key !== 'name' && volume[key as keyof Volume] !== undefined)
    const bad = (spec.volumes ?? []).filter(volume => !VOLUMES.has(typeOf(volume) ?? ''))
    if (bad.length === 0) return undefined
    const types = unique(bad.map(volume => typeOf(volume) ?? 'unknown'))
    const uses = bad.length === 1 ? 'uses' : 'use'
    const names = bad.map(({ name }) => name)
    const detail = `${named('volume', names)} ${uses} ${plural('restricted volume type', types.length)} ${quoted(types)}`
    return { reason: 'restricted volume types', detail }
  },
}

const runAsNonRoot: Check = {
  id: 'runAsNonRoot',
  since: 0,
  run(pod, minor) {
    if (minor >= 35 && hasOwnUsers(pod)) return undefined
    const reason = 'runAsNonRoot != true'
    const who = setters(pod, rights => rights.runAsNonRoot === false)
    if (who !== '') return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` }
    if (pod.spec.securityContext?.runAsNonRoot) return undefined
    const names = namesOf(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined)
    if (names.length === 0) return undefined
    return { reason, detail: `pod or ${named('container', names)} must set securityContext.runAsNonRoot=true` }
  },
}

const runAsUser: Check = {
  id: 'runAsUser',
  since: 23,
  run(pod, minor) {
    if (minor >= 35 && hasOwnUsers(pod)) return undefined
    const who = setters(pod, rights => Number(rights.runAsUser ?? -1) === 0)
    return who === '' ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` }
  },
}

const seccomp: Check = {
  id: 'seccompProfile_restricted',
  since: 19,
  replaces: 'seccompProfile_baseline',
  run(pod, minor) {
    if (minor >= WINDOWS_SINCE && isWindows(pod)) return undefined
    const who = seccompSetters(pod)
    if (who !== '') return seccompViolation(pod, who)
    if (isFiltering(pod.spec.securityContext?.seccompProfile?.type)) return undefined
    const names = namesOf(pod, ({ securityContext }) => securityContext?.seccompProfile === undefined)
    if (names.length === 0) return undefined
    const what = 'securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return { reason: 'seccompProfile', detail: `pod or ${named('container', names)} must set ${what}` }
  },
}

/** What is held for good practice, beside the baseline. */
export const restrictedChecks: readonly Check[] = [
  allowPrivilegeEscalation,
  capabilities,
  procMount,
  restrictedVolumes,
  runAsNonRoot,
  runAsUser,
  seccomp,
]
