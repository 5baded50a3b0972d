import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateImmutable, validateWord } from '../../meta/v1/rules.ts'
import type { CSIDriver, CSIDriverSpec } from './csi-driver.ts'

export function validateCSIDriver({ metadata, spec }: CSIDriver, errors: FieldErrors): void {
  if ((metadata.name ?? '').length > 63) errors.at('name').tooLong(63)
  const at = errors.at('spec')
  validateWord(spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'], at.at('fsGroupPolicy'))
  validateTokens(spec, at.at('tokenRequests'))
  for (const mode of spec.volumeLifecycleModes) {
    if (mode !== 'Persistent' && mode !== 'Ephemeral') at.at('volumeLifecycleModes').notSupported(mode, ['Persistent', 'Ephemeral'])
  }
  const period = spec.nodeAllocatableUpdatePeriodSeconds
  if (period !== undefined && period < 10)
    at.at('nodeAllocatableUpdatePeriodSeconds').invalid(period, 'must be greater than or equal to 10 seconds')
}

function validateTokens({ tokenRequests = [] }: CSIDriverSpec, errors: FieldErrors): void {
  const audiences = new Set<string>()
  tokenRequests.forEach(({ audience, expirationSeconds }, index) => {
    const at = errors.index(index)
    if (audiences.has(audience)) at.at('audience').duplicate(audience)
    audiences.add(audience)
    if (expirationSeconds === undefined) return
    if (expirationSeconds < 600) at.at('expirationSeconds').invalid(expirationSeconds, 'may not specify a duration less than 10 minutes')
    if (expirationSeconds > 2 ** 32)
      at.at('expirationSeconds').invalid(expirationSeconds, 'may not specify a duration larger than 2^32 seconds')
  })
}

export function validateCSIDriverUpdate({ spec }: CSIDriver, old: CSIDriver, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateImmutable(spec.attachRequired, old.spec.attachRequired, at.at('attachedRequired'))
  validateImmutable(spec.volumeLifecycleModes, old.spec.volumeLifecycleModes, at.at('volumeLifecycleModes'))
}
