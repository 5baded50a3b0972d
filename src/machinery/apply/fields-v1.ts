import { beside } from '#base/collections/beside.ts'
import { RecentMap } from '#base/collections/recent-map.ts'
import { encodeJson } from '../codec/json/encode-json.ts'

/** What one manager owns, as `managedFields` say it. Never changed, only replaced. */
export type FieldsV1 = Readonly<Record<string, unknown>>

const MAX_SHARED_TEXT = 16 * 1024

/**
 * The one value for all `fieldsV1` that say the same. Objects made from one template have the same owners, and in the memory of a server
 * with many pods their sets of fields would be half of each.
 */
export function shared(fields: FieldsV1): FieldsV1 {
  return isShared(fields) ? fields : sharedWithText(fields).fields
}

/** As {@link shared}, with its JSON; '' where that is too long to be kept. */
export function sharedWithText(fields: FieldsV1): { readonly fields: FieldsV1; readonly text: string } {
  let text: string
  try {
    text = JSON.stringify(fields)
  } catch {
    // Nested beyond what the engine's stack walks.
    return { fields, text: '' }
  }
  if (text.length > MAX_SHARED_TEXT) return { fields, text: '' }
  const known = sharedByText.get(text)
  if (known) return { fields: known, text }
  sharedByText.set(text, fields)
  texts.set(fields, NOT_YET)
  return { fields, text }
}

/** `fields`, just written in canonical form, that hardly anybody else will have: as {@link shared} to all who ask, but not looked for, and without its text being kept. */
export function kept(fields: FieldsV1): FieldsV1 {
  texts.set(fields, NEVER)
  return fields
}

/** Whether this is a value that {@link shared} answered: others have it, too, so it need not be copied and must not be changed. */
export function isShared(fields: object): boolean {
  return texts.get(fields) !== undefined
}

/** Whether `fields` are known to be in the form that {@link FieldSet.toFieldsV1} writes, so that steps can be compared as text. */
export function isCanonical(fields: FieldsV1): boolean {
  return texts.get(fields) === NEVER || canonical.get(fields) === true
}

/** Notes that `fields` are in that form. */
export function noteCanonical(fields: FieldsV1): void {
  canonical.set(fields, true)
}

/** The JSON of `fields`. Hot: bench/apiserver — half of what is written of a pod is what is owned of it; the text of a shared value is made once. */
export function textOf(fields: FieldsV1): string {
  const known = texts.get(fields)
  if (known) return known
  const text = encodeJson(fields)
  if (known === NOT_YET) texts.set(fields, text)
  return text
}

const NOT_YET = ''
const NEVER = null
const texts = beside<string | null>()
const canonical = beside<true>()
const sharedByText = new RecentMap<string, FieldsV1>(2048)
