import { quoteAll, textOfValue } from './go-text.ts'

/** What is wrong with a field; the same words stand in the `reason` of a Status cause. */
export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

/** One wrong field of an object: what a user has to change before the object is accepted. */
export interface FieldError {
  readonly type: FieldErrorType
  readonly field: string
  readonly badValue: unknown
  readonly detail: string
}

/** The text after the field's path: `Invalid value: -1: must be greater than or equal to 0`. */
export function bodyOf(error: FieldError): string {
  const title =
    VALUELESS.has(error.type) || error.badValue === OMITTED ? TITLES[error.type] : `${TITLES[error.type]}: ${textOfValue(error.badValue)}`
  return error.detail === '' ? title : `${title}: ${error.detail}`
}

/** The whole sentence: `spec.replicas: Invalid value: -1: must be greater than or equal to 0`. */
export function textOf(error: FieldError): string {
  return `${error.field}: ${bodyOf(error)}`
}

/** All of them in one line, each sentence once: as it is when there is one, in brackets when there are more. */
export function textOfAll(errors: readonly FieldError[]): string {
  const sentences = [...new Set(errors.map(textOf))]
  return sentences.length === 1 ? sentences[0]! : `[${sentences.join(', ')}]`
}

/** Stands for a bad value that is not to be printed. */
export const OMITTED: unique symbol = Symbol('omitted')

const TITLES: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
}

const VALUELESS: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>([
  'FieldValueRequired',
  'FieldValueForbidden',
  'FieldValueTooLong',
  'InternalError',
])

/** The detail that lists what would have been accepted. */
export function supportedValues(values: readonly string[]): string {
  return values.length === 0 ? '' : `supported values: ${quoteAll(values)}`
}
