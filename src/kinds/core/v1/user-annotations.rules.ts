import { isQualifiedName } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'

const MAX_BYTES = 256 * 1024

/** What the maker of a pod tells a signer: keys have a domain, `example.com/name`, and all of it together is at most 256 KiB. */
export function validateUserAnnotations(annotations: Readonly<Record<string, string>>, errors: FieldErrors): void {
  let length = 0
  for (const [name, value] of Object.entries(annotations)) {
    const key = name.toLowerCase()
    length += byteLengthOf(name) + byteLengthOf(value)
    const wrong = isQualifiedName(key)
    if (key === '') errors.required()
    else if (wrong.length > 0) errors.invalidEach(key, wrong)
    else if (!key.includes('/')) errors.invalid(key, 'must be a domain-prefixed key (such as "acme.io/foo")')
  }
  if (length > MAX_BYTES) errors.tooLong(MAX_BYTES)
}

const byteLengthOf = (text: string) => new TextEncoder().encode(text).length
