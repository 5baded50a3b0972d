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
const PREFIX = 'pod-security.kubernetes.io/'
const OPEN: LeveledPolicy = { level: 'privileged', version: 'latest' }

/** The policy that labels of a namespace ask for, and what is wrong with them. Who mistypes what is to be enforced gets the strictest. */
export function policyOf(labels: Readonly<Record<string, string>> | undefined): {
  readonly policy: NamespacePolicy
  readonly errors: FieldErrors
} {
  const errors = new FieldErrors()
  const read = (mode: string, fallback: LeveledPolicy, wrong: Level): LeveledPolicy => ({
    level: levelOf(labels, mode, fallback.level, wrong, errors),
    version: versionOf(labels, mode, fallback.version, errors),
  })
  const enforce = read('enforce', OPEN, 'restricted')
  const audit = read('audit', OPEN, 'privileged')
  const warn = read('warn', labels?.[`${PREFIX}enforce`] === undefined ? OPEN : enforce, 'privileged')
  return { policy: { enforce, audit, warn }, errors }
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
  if (LEVELS.includes(value)) return value as Level
  errors
    .at('metadata')
    .at('labels')
    .key(label)
    .invalid(value, `must be one of ${LEVELS.join(', ')}`)
  return wrong
}

function versionOf(labels: Labels, mode: string, fallback: LeveledPolicy['version'], errors: FieldErrors): LeveledPolicy['version'] {
  const label = `${PREFIX}${mode}-version`
  const value = labels?.[label]
  if (value === undefined) return fallback
  if (value === 'latest') return 'latest'
  const minor = /^v1\.(0|[1-9]\d{0,8})$/.exec(value)?.[1]
  if (minor !== undefined) return Number(minor)
  errors.at('metadata').at('labels').key(label).invalid(value, 'must be "latest" or "v1.x"')
  return 'latest'
}
