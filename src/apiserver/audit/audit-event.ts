import { quote } from '#machinery/status/go-text.ts'
import type { Level, Stage } from './audit-policy.ts'

/** One entry of the audit log (audit.k8s.io/v1 Event). Times are RFC 3339 with microseconds. */
export interface AuditEvent {
  readonly kind: 'Event'
  readonly apiVersion: 'audit.k8s.io/v1'
  readonly level: Level
  readonly auditID: string
  readonly stage: Stage
  readonly requestURI: string
  readonly verb: string
  readonly user: AuditedUser
  readonly impersonatedUser?: AuditedUser
  readonly authenticationMetadata?: { readonly impersonationConstraint: string }
  readonly sourceIPs?: readonly string[]
  readonly userAgent?: string
  readonly objectRef?: ObjectReference
  readonly responseStatus?: ResponseStatus
  readonly requestObject?: unknown
  readonly responseObject?: unknown
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly annotations?: Readonly<Record<string, string>>
}

export interface AuditedUser {
  readonly username?: string
  readonly uid?: string
  readonly groups?: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export interface ObjectReference {
  readonly resource?: string
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly apiGroup?: string
  readonly apiVersion?: string
  readonly resourceVersion?: string
  readonly subresource?: string
}

export interface ResponseStatus {
  readonly metadata: object
  readonly status?: string
  readonly message?: string
  readonly reason?: string
  readonly details?: object
  readonly code: number
}

/** A time in milliseconds as events carry it. Hot: bench/access. */
export function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`
}

/** An event as one line of `key="value"`: upstream's `--audit-log-format=legacy`. */
export function legacyLine(event: AuditEvent): string {
  const { user, impersonatedUser, objectRef, responseStatus, sourceIPs = [] } = event
  const list = (groups: readonly string[] | undefined, none: string) => (groups?.length ? groups.map(quote).join(',') : none)
  const fields: [string, string][] = [
    ['id', event.auditID],
    ['stage', event.stage],
    ['ip', sourceIPs[0] ?? '<unknown>'],
    ['method', event.verb],
    ['user', user.username || '<none>'],
    ['groups', user.username ? list(user.groups, '<none>') : '<none>'],
    ['as', impersonatedUser?.username ?? '<self>'],
    ['asgroups', impersonatedUser ? list(impersonatedUser.groups, '<lookup>') : '<lookup>'],
    ['user-agent', event.userAgent ?? ''],
    ['namespace', objectRef?.namespace || '<none>'],
    ['uri', event.requestURI],
  ]
  const text = fields.map(([key, value]) => `${key}=${quote(value)}`).join(' ')
  return `${event.requestReceivedTimestamp} AUDIT: ${text} response="${responseStatus?.code ?? '<deferred>'}"`
}
