import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { Event } from './event.ts'

/** An event lives in the namespace of the object that it is about, or in `default` if that object has none. */
export function validateEvent({ metadata, involvedObject }: Event, errors: FieldErrors): void {
  const { namespace = '' } = involvedObject
  const at = errors.at('involvedObject').at('namespace')
  if (namespace === '') {
    if (metadata.namespace !== 'default' && metadata.namespace !== 'kube-system') at.invalid(namespace, 'does not match event.namespace')
  } else if (metadata.namespace !== namespace) at.invalid(namespace, 'does not match event.namespace')
}
