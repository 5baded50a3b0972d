import { equal } from '#machinery/kind/draft.ts'
import { utf8Length } from '#machinery/meta/utf8.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateLabelName } from '../../meta/v1/rules.ts'
import type { StorageClass } from './storage-class.ts'

const MAX_COUNT = 512
const MAX_BYTES = 256 * 1024

/** What a driver is told about the volumes it makes. */
export function validateParameters(
  parameters: Readonly<Record<string, string>> | undefined,
  mayBeEmpty: boolean,
  errors: FieldErrors,
): void {
  const entries = Object.entries(parameters ?? {})
  if (entries.length > MAX_COUNT) {
    errors.tooLong(MAX_COUNT)
    return
  }
  let size = 0
  for (const [key, value] of entries) {
    if (key === '') errors.invalid(key, 'field can not be empty.')
    size += utf8Length(key) + utf8Length(value)
  }
  if (size > MAX_BYTES) errors.tooLong(MAX_BYTES)
  if (!mayBeEmpty && entries.length === 0) errors.required('must contain at least one key/value pair')
}

/** Where volumes may be made: each term once, each key once in a term. */
export function validateTopologies({ allowedTopologies = [] }: StorageClass, errors: FieldErrors): void {
  const seen: unknown[] = []
  allowedTopologies.forEach(({ matchLabelExpressions = [] }, index) => {
    const at = errors.index(index).at('matchLabelExpressions')
    const keys = new Set<string>()
    matchLabelExpressions.forEach(({ key, values }, position) => {
      const requirement = at.index(position)
      if (values.length === 0) requirement.at('values').required()
      values.forEach((value, place) => {
        if (values.indexOf(value) < place) requirement.at('values').index(place).duplicate(value)
      })
      validateLabelName(key, requirement.at('key'))
      if (keys.has(key)) requirement.at('key').duplicate(key)
      keys.add(key)
    })
    const raw = Object.fromEntries(matchLabelExpressions.map(({ key, values }) => [key, [...values].sort()]))
    if (seen.some(other => equal(other, raw))) at.duplicate('')
    seen.push(raw)
  })
}
