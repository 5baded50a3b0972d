import { isDNS1123Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { list, message, omitempty, optional, type StoredOf, string } from '#machinery/schema/schema.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { isLevel, type LeveledPolicy, type NamespacePolicy, parseVersion, WRONG_LEVEL, WRONG_VERSION } from './policy.ts'

const LEVEL = 'privileged, baseline or restricted; default: privileged.'
const VERSION = '`latest`, which is the default, or `v1.x`.'

const Defaults = message('io.k8s.podsecurity.v1.PodSecurityDefaults', {
  enforce: omitempty(1, string, LEVEL),
  'enforce-version': omitempty(2, string, VERSION),
  audit: omitempty(3, string, LEVEL),
  'audit-version': omitempty(4, string, VERSION),
  warn: omitempty(5, string, LEVEL),
  'warn-version': omitempty(6, string, VERSION),
})

const Exemptions = message('io.k8s.podsecurity.v1.PodSecurityExemptions', {
  usernames: omitempty(1, list(string), 'Users whose writes are not looked at.'),
  namespaces: omitempty(2, list(string), 'Namespaces in which nothing is looked at.'),
  runtimeClasses: omitempty(3, list(string), 'Runtime classes whose pods are not looked at.'),
})

/** What pods may where nothing is said of them (pod-security.admission.config.k8s.io/v1). */
export const PodSecurityConfiguration = message('io.k8s.podsecurity.v1.PodSecurityConfiguration', {
  defaults: optional(1, Defaults, 'What counts in namespaces without labels.'),
  exemptions: optional(2, Exemptions, 'Who is not asked.'),
})
export interface PodSecurityConfiguration extends StoredOf<typeof PodSecurityConfiguration> {}

const MODES = ['enforce', 'warn', 'audit'] as const

/** Reports what cannot be, in upstream's words. */
export function validatePodSecurity({ defaults = {}, exemptions = {} }: PodSecurityConfiguration, errors: FieldErrors): void {
  const at = errors.at('defaults')
  for (const mode of MODES) {
    const level = defaults[mode]
    if (level && !isLevel(level)) at.at(mode).invalid(level, WRONG_LEVEL)
    const version = defaults[`${mode}-version`]
    if (version && parseVersion(version) === undefined) at.at(`${mode}-version`).invalid(version, WRONG_VERSION)
  }
  const of = errors.at('exemptions')
  eachOnce(exemptions.namespaces, of.at('namespaces'), isDNS1123Label)
  eachOnce(exemptions.runtimeClasses, of.at('runtimeClasses'), isDNS1123Subdomain)
  eachOnce(exemptions.usernames, of.at('usernames'), undefined)
}

function eachOnce(names: readonly string[] = [], errors: FieldErrors, check: ((name: string) => readonly string[]) | undefined): void {
  for (const [index, name] of names.entries()) {
    const wrong = check?.(name) ?? []
    if (!check && name === '') errors.index(index).required()
    else if (wrong.length > 0) errors.index(index).invalid(name, wrong.join(', '))
    else if (names.indexOf(name) < index) errors.index(index).duplicate(name)
  }
}

/** The policy of namespaces without labels. */
export function defaultPolicy({ defaults = {} }: PodSecurityConfiguration): NamespacePolicy {
  const of = (mode: (typeof MODES)[number]): LeveledPolicy => {
    const level = defaults[mode] || 'privileged'
    return { level: isLevel(level) ? level : 'restricted', version: parseVersion(defaults[`${mode}-version`] || 'latest') ?? 'latest' }
  }
  return { enforce: of('enforce'), audit: of('audit'), warn: of('warn') }
}
