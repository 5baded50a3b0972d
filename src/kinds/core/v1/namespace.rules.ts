import type { FieldErrors } from '#machinery/status/field-errors.ts'

/** Labels by which a namespace says how safe its pods must be. `errors` stands at the labels. */
export function validatePodSecurityLabels(labels: Readonly<Record<string, string>> | undefined, errors: FieldErrors): void {
  for (const mode of ['enforce', 'audit', 'warn']) {
    const level = `pod-security.kubernetes.io/${mode}`
    const value = labels?.[level]
    if (value !== undefined && !LEVELS.includes(value)) errors.key(level).invalid(value, `must be one of ${LEVELS.join(', ')}`)
    const version = labels?.[`${level}-version`]
    if (version !== undefined && version !== 'latest' && !/^v1\.([0-9]|[1-9][0-9]*)$/.test(version)) {
      errors.key(`${level}-version`).invalid(version, 'must be "latest" or "v1.x"')
    }
  }
}

const LEVELS = ['privileged', 'baseline', 'restricted']
