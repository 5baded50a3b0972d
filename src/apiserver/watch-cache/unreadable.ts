import { internalError } from '#machinery/status/failures.ts'
import { StatusError } from '#machinery/status/status-error.ts'

/** A key of the store, and why its value cannot be read. */
export type Unreadable = readonly [key: string, why: string]

/** How many are told one by one. */
const MOST_TOLD = 100

/**
 * What whoever asks for values is told that cannot be decrypted or decoded: which these are, and why. A list is refused as a whole, as upstream
 * does it: without them it would say that they are gone.
 */
export function unreadable(all: readonly Unreadable[]): StatusError {
  const [first, ...others] = all.map(([key, why]) => `unable to transform key ${JSON.stringify(key)}: ${why}`)
  const more = others.length > 0 ? `, and ${others.length} more` : ''
  const causes = all.slice(0, MOST_TOLD).map(([key, why]) => ({ reason: 'UnreadableValue' as never, field: key, message: why }))
  const { code, reason, message } = internalError(new Error(`${first}${more}`))
  return new StatusError({ code, reason, message, details: { causes } })
}
