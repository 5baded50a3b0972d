/** The machine-readable class of a failure. */
export type StatusReason =
  | ''
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'Invalid'
  | 'ServerTimeout'
  | 'StoreReadError'
  | 'Timeout'
  | 'TooManyRequests'
  | 'BadRequest'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'RequestEntityTooLarge'
  | 'UnsupportedMediaType'
  | 'InternalError'
  | 'Expired'
  | 'ServiceUnavailable'

/** One cause among several, with the field it concerns. */
export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

/** What the failure is about. Absent and empty fields are left out of the answer. */
export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** The `Status` object that the API server answers with. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string; readonly remainingItemCount?: number }
  readonly status?: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: StatusReason
  readonly details?: StatusDetails
  readonly code?: number
}

/** A failure that a client of the API sees, with everything its `Status` needs. Made by the functions in `failures.ts`. */
export class StatusError extends Error {
  override readonly name = 'StatusError'
  readonly reason: StatusReason
  readonly code: number
  readonly details: StatusDetails | undefined

  constructor(failure: { code: number; reason: StatusReason; message: string; details?: StatusDetails | undefined; cause?: unknown }) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause })
    this.code = failure.code
    this.reason = failure.reason
    this.details = failure.details
  }

  /** The body of the answer, with its keys in upstream's order. */
  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      ...(this.message === '' ? {} : { message: this.message }),
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details ? { details: withoutEmpty(this.details) } : {}),
      code: this.code,
    }
  }

  /** The failure that a received `Status` tells of. */
  static from(status: Partial<Omit<Status, 'reason'>> & { readonly reason?: string }): StatusError {
    return new StatusError({
      code: status.code ?? 500,
      reason: (status.reason ?? '') as StatusReason,
      message: status.message ?? 'unknown',
      details: status.details,
    })
  }
}

/** The StatusError in `error` or in the chain of its causes. */
export function statusErrorOf(error: unknown): StatusError | undefined {
  for (let step = error, depth = 0; step instanceof Error && depth < 32; step = step.cause, depth++) {
    if (step instanceof StatusError) return step
  }
  return undefined
}

/** The reason of the {@link StatusError} in `error`, or '' when there is none. */
export function reasonOf(error: unknown): StatusReason {
  return statusErrorOf(error)?.reason ?? ''
}

export const isNotFound = (error: unknown): boolean => is(error, 'NotFound', 404)
export const isAlreadyExists = (error: unknown): boolean => reasonOf(error) === 'AlreadyExists'
export const isConflict = (error: unknown): boolean => is(error, 'Conflict', 409)
export const isInvalid = (error: unknown): boolean => is(error, 'Invalid', 422)
export const isForbidden = (error: unknown): boolean => is(error, 'Forbidden', 403)
export const isUnauthorized = (error: unknown): boolean => is(error, 'Unauthorized', 401)
export const isBadRequest = (error: unknown): boolean => is(error, 'BadRequest', 400)
export const isExpired = (error: unknown): boolean => reasonOf(error) === 'Expired'
export const isGone = (error: unknown): boolean => is(error, 'Gone', 410) || isExpired(error)
export const isTimeout = (error: unknown): boolean => is(error, 'Timeout', 504)
export const isServerTimeout = (error: unknown): boolean => reasonOf(error) === 'ServerTimeout'
export const isServiceUnavailable = (error: unknown): boolean => is(error, 'ServiceUnavailable', 503)
export const isInternalError = (error: unknown): boolean => is(error, 'InternalError', 500)
export const isMethodNotSupported = (error: unknown): boolean => is(error, 'MethodNotAllowed', 405)
export const isTooManyRequests = (error: unknown): boolean => reasonOf(error) === 'TooManyRequests' || statusErrorOf(error)?.code === 429

/** Whether the cause named `type` (as `NamespaceTerminating`) is among the failure's causes. */
export function hasCause(error: unknown, type: string): boolean {
  return statusErrorOf(error)?.details?.causes?.some(cause => cause.reason === type) ?? false
}

/** How long the server asks to wait before the next try, if it does. */
export function retryAfterSecondsOf(error: unknown): number | undefined {
  const failure = statusErrorOf(error)
  const seconds = failure?.details?.retryAfterSeconds ?? 0
  return seconds > 0 || (failure?.reason === 'ServerTimeout' && failure.details) ? seconds : undefined
}

/** A failure counts by its reason, and by its code where the reason is unknown. */
function is(error: unknown, reason: StatusReason, code: number): boolean {
  const failure = statusErrorOf(error)
  return failure !== undefined && (failure.reason === reason || (failure.reason === '' && failure.code === code))
}

function withoutEmpty(details: StatusDetails): StatusDetails {
  return {
    ...(details.name ? { name: details.name } : {}),
    ...(details.group ? { group: details.group } : {}),
    ...(details.kind ? { kind: details.kind } : {}),
    ...(details.uid ? { uid: details.uid } : {}),
    ...(details.causes?.length ? { causes: details.causes.map(withoutEmptyCause) } : {}),
    ...(details.retryAfterSeconds ? { retryAfterSeconds: details.retryAfterSeconds } : {}),
  }
}

function withoutEmptyCause(cause: StatusCause): StatusCause {
  return {
    ...(cause.reason ? { reason: cause.reason } : {}),
    ...(cause.message ? { message: cause.message } : {}),
    ...(cause.field ? { field: cause.field } : {}),
  }
}
