import { FieldErrors } from '#machinery/status/field-errors.ts'

/** How much pods are allowed: everything; nothing known to break out of a container; only what is held for good practice. */
export type Level = 'privileged' | 'baseline' | 'restricted'

/** A level as of a version of Kubernetes: its minor number, or the newest. */
export interface LeveledPolicy {
  readonly level: Level
  readonly version: 'latest' | number
}

/** What a namespace asks of its pods: what is refused, what is warned of, what is noted for audits. */
export interface NamespacePolicy {
  readonly enforce: LeveledPolicy
  readonly warn: LeveledPolicy
  readonly audit: LeveledPolicy
}

const LEVELS: readonly string[] = ['privileged', 'baseline', 'restricted']
export const WRONG_LEVEL = `must be one of ${LEVELS.join(', ')}`
export const WRONG_VERSION = 'must be "latest" or "v1.x"'
const PREFIX = 'pod-security.kubernetes.io/'
const OPEN: LeveledPolicy = { level: 'privileged', version: 'latest' }

/** What counts where nothing else is said. */
export const OPEN_POLICY: NamespacePolicy = { enforce: OPEN, audit: OPEN, warn: OPEN }

/** The policy that labels of a namespace ask for, and what is wrong with them. Who mistypes what is to be enforced gets the strictest. */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  defaults: NamespacePolicy = OPEN_POLICY,
): {
  readonly policy: NamespacePolicy
  readonly errors: FieldErrors
} {
  const errors = new FieldErrors()
  const read = (mode: string, fallback: LeveledPolicy, wrong: Level): LeveledPolicy => ({
    level: levelOf(labels, mode, fallback.level, wrong, errors),
    version: versionOf(labels, mode, fallback.version, errors),
  })
  const enforce = read('enforce', defaults.enforce, 'restricted')
  const audit = read('audit', defaults.audit, 'privileged')
  const warnsAsEnforced = labels?.[`${PREFIX}enforce`] !== undefined && isStricter(enforce.level, defaults.warn.level)
  const warn = read('warn', warnsAsEnforced ? enforce : defaults.warn, 'privileged')
  return { policy: { enforce, audit, warn }, errors }
}

export function isLevel(text: string): text is Level {
  return LEVELS.includes(text)
}

/** What `latest` or `v1.30` stands for; undefined for anything else. */
export function parseVersion(text: string): LeveledPolicy['version'] | undefined {
  if (text === 'latest') return 'latest'
  const minor = /^v1\.(0|[1-9]\d{0,8})$/.exec(text)?.[1]
  return minor === undefined ? undefined : Number(minor)
}

/** `baseline:v1.30`. */
export function policyText({ level, version }: LeveledPolicy): string {
  return `${level}:${version === 'latest' ? version : `v1.${version}`}`
}

export function isSamePolicy(left: LeveledPolicy, right: LeveledPolicy): boolean {
  return left.level === right.level && left.version === right.version
}

export function isStricter(left: Level, right: Level): boolean {
  return LEVELS.indexOf(left) > LEVELS.indexOf(right)
}

type Labels = Readonly<Record<string, string>> | undefined

function levelOf(labels: Labels, mode: string, fallback: Level, wrong: Level, errors: FieldErrors): Level {
  const label = `${PREFIX}${mode}`
  const value = labels?.[label]
  if (value === undefined) return fallback
  if (isLevel(value)) return value
  errors.at('metadata').at('labels').key(label).invalid(value, WRONG_LEVEL)
  return wrong
}

function versionOf(labels: Labels, mode: string, fallback: LeveledPolicy['version'], errors: FieldErrors): LeveledPolicy['version'] {
  const label = `${PREFIX}${mode}-version`
  const value = labels?.[label]
  if (value === undefined) return fallback
  const version = parseVersion(value)
  if (version !== undefined) return version
  errors.at('metadata').at('labels').key(label).invalid(value, WRONG_VERSION)
  return 'latest'
}
