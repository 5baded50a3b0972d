import { equal } from '#machinery/kind/draft.ts'
import { isPercent } from '#machinery/meta/formats.ts'
import { isLabelValue, isQualifiedName } from '#machinery/meta/names.ts'
import { FIELD_IMMUTABLE, validateLabels } from '#machinery/meta/validate-object-meta.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { LabelSelector } from './label-selector.ts'

/*
 * Checks that many kinds share. Each reports to the collector it is given, which stands at the value that is checked.
 */

/** A number that may not be less than zero. */
export function validateNonNegative(value: number | bigint | undefined, errors: FieldErrors): void {
  if (value !== undefined && value < 0) errors.invalid(value, 'must be greater than or equal to 0')
}

/** One of a few words, which must be there. */
export function validateWord(value: string | undefined, supported: readonly string[], errors: FieldErrors): void {
  if (value === undefined || value === '') errors.required()
  else if (!supported.includes(value)) errors.notSupported(value, supported)
}

/** A value that may never change. */
export function validateImmutable(value: unknown, old: unknown, errors: FieldErrors): void {
  if (!equal(value ?? undefined, old ?? undefined)) errors.invalid(value ?? null, FIELD_IMMUTABLE)
}

/** The key of a label. */
export function validateLabelName(key: string, errors: FieldErrors): void {
  errors.invalidEach(key, isQualifiedName(key))
}

/** A selector of objects by their labels, as objects carry it. */
export function validateLabelSelector(selector: LabelSelector | undefined, errors: FieldErrors): void {
  if (!selector) return
  validateLabels(selector.matchLabels, errors.at('matchLabels'))
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, index) => {
    const at = errors.at('matchExpressions').index(index)
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) at.at('values').required("must be specified when `operator` is 'In' or 'NotIn'")
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) at.at('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
    } else at.at('operator').invalid(operator, 'not a valid selector operator')
    validateLabelName(key, at.at('key'))
    values.forEach((value, position) => {
      at.at('values').index(position).invalidEach(value, isLabelValue(value))
    })
  })
}

/** Whether a selector asks for nothing. */
export function isEmptySelector(selector: LabelSelector): boolean {
  return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0
}

/** The keys of a map in order, so that errors come in a fixed order. */
export function sortedEntries<T>(map: Readonly<Record<string, T>> | undefined): [string, T][] {
  return Object.entries(map ?? {}).sort(([left], [right]) => (left < right ? -1 : 1))
}

/** `value` as messages show what upstream keeps in a type of its own: the names of its fields begin with capitals. */
export function internal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(internal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name.charAt(0).toUpperCase() + name.slice(1), internal(part)]))
}

/** A count or a share: not negative, and a share has a percent sign. */
export function validateCountOrPercent(value: number | string | undefined, errors: FieldErrors): void {
  if (typeof value === 'number') validateNonNegative(value, errors)
  else if (value !== undefined) errors.invalidEach(value, isPercent(value))
}

/** A share of a whole. */
export function validateAtMostWhole(value: number | string | undefined, errors: FieldErrors): void {
  if (typeof value === 'string' && isPercent(value).length === 0 && Number(value.slice(0, -1)) > 100) {
    errors.invalid(value, 'must not be greater than 100%')
  }
}

/** A count or a share that says nothing: 0 or 0%. */
export function isNone(value: number | string | undefined): boolean {
  return value === undefined || value === 0 || (typeof value === 'string' && Number.parseInt(value, 10) === 0)
}

/** Labels as messages show them: in order. */
export function shownLabels(labels: Readonly<Record<string, string>> | undefined): unknown {
  return labels ? Object.fromEntries(sortedEntries(labels)) : null
}

/** A selector as messages show it. */
export function shownSelector(selector: LabelSelector | undefined): unknown {
  return selector?.matchLabels ? { ...selector, matchLabels: shownLabels(selector.matchLabels) } : (selector ?? null)
}
