import { isQualifiedName } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { Event } from './event.ts'

const LONGEST_FIELD = 128
const LONGEST_NOTE = 1024

/** An event lives in the namespace of the object that it is about, or in `default` if that object has none. */
export function validateEvent(event: Event, errors: FieldErrors): void {
  const { metadata, involvedObject } = event
  const { namespace = '' } = involvedObject
  const at = errors.at('involvedObject').at('namespace')
  if (namespace === '') {
    if (metadata.namespace !== 'default' && metadata.namespace !== 'kube-system') at.invalid(namespace, 'does not match event.namespace')
  } else if (metadata.namespace !== namespace) at.invalid(namespace, 'does not match event.namespace')
  if (event.eventTime) validateTimedEvent(event, errors)
}

/** Who sets `eventTime` writes events the newer way, and names who reports what. */
function validateTimedEvent(
  { reportingComponent, reportingInstance, action = '', reason = '', message = '' }: Event,
  errors: FieldErrors,
): void {
  if (reportingComponent === '') errors.at('reportingController').required()
  errors.at('reportingController').invalidEach(reportingComponent, isQualifiedName(reportingComponent))
  limited(reportingInstance, errors.at('reportingInstance'))
  limited(action, errors.at('action'))
  limited(reason, errors.at('reason'))
  if (message.length > LONGEST_NOTE) errors.at('message').invalid('', `can have at most ${LONGEST_NOTE} characters`)
}

function limited(value: string, errors: FieldErrors): void {
  if (value === '') errors.required()
  if (value.length > LONGEST_FIELD) errors.invalid('', `can have at most ${LONGEST_FIELD} characters`)
}
