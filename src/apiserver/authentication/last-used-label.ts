import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'
import type { Client } from '#client/client.ts'
import { Secret } from '#kinds/core/v1/secret.ts'

const LAST_USED = 'kubernetes.io/legacy-token-last-used'

/** Notes on a secret, once a day, that its token is used: what is not used for a year is cleaned up (KEP-2800). */
export function lastUsedLabel(client: () => Client, clock: Clock, log: Logger): (secret: Secret) => void {
  const underWay = new Set<string>()
  return ({ metadata: { namespace = '', name = '', uid = '', labels = {} } }) => {
    const today = new Date(clock.now()).toISOString().slice(0, 10)
    if (labels[LAST_USED] === today || underWay.has(uid)) return
    underWay.add(uid)
    client()
      .patch(Secret, { namespace, name }, { type: 'merge', body: { metadata: { uid, labels: { [LAST_USED]: today } } } })
      .catch((error: unknown) =>
        log.warn('the use of a token could not be noted', { secret: `${namespace}/${name}`, error: String(error) }),
      )
      .finally(() => underWay.delete(uid))
  }
}
