import type { Namespace } from '#kinds/core/v1/namespace.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { conflict, forbidden } from '#machinery/status/failures.ts'
import type { Behaviour } from '../registry/behaviour.ts'

const PROTECTED = new Set(['default', 'kube-system', 'kube-public'])

/** A namespace stays, terminating, until the namespace controller has emptied it and taken its finalizer away. */
export const namespaces: Behaviour = {
  group: '',
  resource: 'namespaces',
  isHeld: object => ((object as Namespace).spec.finalizers?.length ?? 0) > 0,
  markDeleted(object) {
    delete object.metadata.deletionGracePeriodSeconds
    ;(object as Mutable<Namespace>).status = { ...(object as Mutable<Namespace>).status, phase: 'Terminating' }
  },
  checkDelete({ metadata: { name = '', uid } }, { preconditions }) {
    if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
      const why = `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${uid}`
      throw conflict({ group: '', resource: 'namespaces' }, name, why)
    }
    if (PROTECTED.has(name)) throw forbidden({ group: '', resource: 'namespaces' }, name, 'this namespace may not be deleted')
  },
}
