import { inline, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'
import { applyContainerDefaults, Container } from './container.ts'

/** A container that is put into a running pod to look into it; it is never restarted and promises nothing. */
export const EphemeralContainer = message(
  'io.k8s.api.core.v1.EphemeralContainer',
  {
    ...inline(1, Container),
    targetContainerName: omitempty(2, string, 'The container whose processes it sees.'),
  },
  { applyDefaults: applyContainerDefaults },
)
export interface EphemeralContainer extends StoredOf<typeof EphemeralContainer> {}
