import { bodyOf, type FieldError, textOfAll } from './field-error.ts'
import { quote } from './go-text.ts'
import { type StatusCause, StatusError } from './status-error.ts'

/** A resource as messages name it: `deployments.apps`. */
export interface GroupResource {
  readonly group: string
  readonly resource: string
}

/** A kind as messages name it: `Deployment.apps`. */
export interface GroupKind {
  readonly group: string
  readonly kind: string
}

export function notFound(of: GroupResource, name: string): StatusError {
  return about(of, name, 404, 'NotFound', `${resourceText(of)} ${quote(name)} not found`)
}

export function alreadyExists(of: GroupResource, name: string): StatusError {
  return about(of, name, 409, 'AlreadyExists', `${resourceText(of)} ${quote(name)} already exists`)
}

/** No free name was found behind a generateName. */
export function generateNameConflict(of: GroupResource, name: string, retryAfterSeconds: number): StatusError {
  const message = `${resourceText(of)} ${quote(name)} already exists, the server was not able to generate a unique name for the object`
  return about(of, name, 409, 'AlreadyExists', message, { retryAfterSeconds })
}

/** The write is based on something else than what is stored. */
export function conflict(of: GroupResource, name: string, why: string): StatusError {
  return about(of, name, 409, 'Conflict', `Operation cannot be fulfilled on ${resourceText(of)} ${quote(name)}: ${why}`)
}

/** The reason of a {@link conflict} when the resourceVersion is not the stored one. */
export const OBJECT_MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

/** A server-side apply that would take fields from other managers. */
export function applyConflict(causes: readonly StatusCause[], message: string): StatusError {
  return new StatusError({ code: 409, reason: 'Conflict', message, details: { causes } })
}

/** The object breaks rules of its kind; every broken field is a cause. */
export function invalid(of: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const causes = errors.map(error => ({ reason: error.type, message: bodyOf(error), field: error.field }))
  const subject = `${kindText(of)} ${quote(name)} is invalid`
  const message = errors.length === 0 ? subject : `${subject}: ${textOfAll(errors)}`
  return new StatusError({ code: 422, reason: 'Invalid', message, details: { group: of.group, kind: of.kind, name, causes } })
}

export function badRequest(message: string, cause?: unknown): StatusError {
  return new StatusError({ code: 400, reason: 'BadRequest', message, cause })
}

export function unauthorized(message = ''): StatusError {
  return new StatusError({ code: 401, reason: 'Unauthorized', message: message === '' ? 'not authorized' : message })
}

/** Admission or authorization says no; without a resource the message has no subject. */
export function forbidden(of: GroupResource, name: string, why: string): StatusError {
  const subject = name === '' ? resourceText(of) : `${resourceText(of)} ${quote(name)}`
  const message = of.group === '' && of.resource === '' ? `forbidden: ${why}` : `${subject} is forbidden: ${why}`
  return about(of, name, 403, 'Forbidden', message)
}

export function methodNotSupported(of: GroupResource, action: string): StatusError {
  return about(of, '', 405, 'MethodNotAllowed', `${action} is not supported on resources of kind ${quote(resourceText(of))}`)
}

export function gone(message: string): StatusError {
  return new StatusError({ code: 410, reason: 'Gone', message })
}

/** The asked-for revision is no longer held. */
export function expired(message: string): StatusError {
  return new StatusError({ code: 410, reason: 'Expired', message })
}

/** 504: a request that took longer than it may, or than the client would wait. */
export function tooSlow(): StatusError {
  return new StatusError({ code: 504, reason: 'Timeout', message: 'request did not complete within the allotted timeout' })
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError({ code: 429, reason: 'TooManyRequests', message, details: { retryAfterSeconds } })
}

export function requestEntityTooLarge(message: string): StatusError {
  return new StatusError({ code: 413, reason: 'RequestEntityTooLarge', message: `Request entity too large: ${message}` })
}

/** No format of the answer is one that the client accepts. */
export function notAcceptable(accepted: readonly string[]): StatusError {
  return new StatusError({
    code: 406,
    reason: 'NotAcceptable',
    message: `only the following media types are accepted: ${accepted.join(', ')}`,
  })
}

/** The body is in no format that is read here. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`
  return new StatusError({ code: 415, reason: 'UnsupportedMediaType', message })
}

/** Something went wrong on this side; `error` becomes the cause and its message part of the answer. */
export function internalError(error: unknown): StatusError {
  const why = error instanceof Error ? error.message : String(error)
  return new StatusError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${why}`,
    details: { causes: [{ message: why }] },
    cause: error,
  })
}

export function serviceUnavailable(message: string): StatusError {
  return new StatusError({ code: 503, reason: 'ServiceUnavailable', message })
}

/** The request's time is over; what it asked for may still happen. */
export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return new StatusError({ code: 504, reason: 'Timeout', message: `Timeout: ${message}`, details: { retryAfterSeconds } })
}

/** A passing trouble: the client should try again. */
export function serverTimeout(of: GroupResource, operation: string, retryAfterSeconds = 0): StatusError {
  const message = `The ${operation} operation against ${resourceText(of)} could not be completed at this time, please try again.`
  return about(of, operation, 500, 'ServerTimeout', message, { retryAfterSeconds })
}

/** What a client makes of an answer without a Status, and the server of a failure it has no better words for. */
export function genericFailure(failure: {
  code: number
  verb?: string
  of?: GroupResource
  name?: string
  serverMessage?: string
  retryAfterSeconds?: number
  isUnexpected?: boolean
}): StatusError {
  const { code, verb = '', of = { group: '', resource: '' }, name = '', serverMessage = '' } = failure
  const [reason, text] = genericText(code, verb, serverMessage)
  const subject = of.resource === '' && of.group === '' ? '' : [verb.toLowerCase(), resourceText(of), name].filter(Boolean).join(' ')
  return new StatusError({
    code,
    reason,
    message: subject === '' ? text : `${text} (${subject})`,
    details: {
      group: of.group,
      kind: of.resource,
      name,
      causes: failure.isUnexpected ? [{ reason: 'UnexpectedServerResponse', message: serverMessage }] : [],
      retryAfterSeconds: failure.retryAfterSeconds ?? 0,
    },
  })
}

/** `deployments.apps`, or `pods` for the core group. */
export function resourceText(of: GroupResource): string {
  return of.group === '' ? of.resource : `${of.resource}.${of.group}`
}

/** `Deployment.apps`, or `Pod` for the core group. */
export function kindText(of: GroupKind): string {
  return of.group === '' ? of.kind : `${of.kind}.${of.group}`
}

function about(
  of: GroupResource,
  name: string,
  code: number,
  reason: StatusError['reason'],
  message: string,
  more: { retryAfterSeconds?: number } = {},
): StatusError {
  return new StatusError({ code, reason, message, details: { group: of.group, kind: of.resource, name, ...more } })
}

function genericText(code: number, verb: string, serverMessage: string): [StatusError['reason'], string] {
  switch (code) {
    case 400:
      return ['BadRequest', 'the server rejected our request for an unknown reason']
    case 401:
      return ['Unauthorized', 'the server has asked for the client to provide credentials']
    case 403:
      return ['Forbidden', serverMessage]
    case 404:
      return ['NotFound', 'the server could not find the requested resource']
    case 405:
      return ['MethodNotAllowed', 'the server does not allow this method on the requested resource']
    case 406: {
      const own = 'the server was unable to respond with a content type that the client supports'
      return ['NotAcceptable', serverMessage === '' || serverMessage === 'unknown' ? own : serverMessage]
    }
    case 409:
      return [verb.toUpperCase() === 'POST' ? 'AlreadyExists' : 'Conflict', 'the server reported a conflict']
    case 415:
      return ['UnsupportedMediaType', serverMessage]
    case 422:
      return ['Invalid', 'the server rejected our request due to an error in our request']
    case 429:
      return ['TooManyRequests', 'the server has received too many requests and has asked us to try again later']
    case 503:
      return ['ServiceUnavailable', 'the server is currently unable to handle the request']
    case 504:
      return ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing the request']
  }
  if (code >= 500) return ['InternalError', `an error on the server (${quote(serverMessage)}) has prevented the request from succeeding`]
  return ['', `the server responded with the status code ${code} but did not return more information`]
}
