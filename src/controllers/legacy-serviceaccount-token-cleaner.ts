import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { isConflict, isNotFound } from '#machinery/status/status-error.ts'
import { defineController, type Tools, whole } from './runtime/define-controller.ts'
import { consulted } from './runtime/watches.ts'

const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT = 'kubernetes.io/service-account.name'
const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
/** Written by the API server: since when it notes down which tokens are used. */
const TRACKING = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }
const DAY_MS = 24 * 3600_000

/** Marks tokens of service accounts that were made of their own accord and not used for long, and deletes them when that was long ago as well. */
export const legacyServiceAccountTokenCleanerController = defineController({
  name: 'legacy-serviceaccount-token-cleaner-controller',
  reconciles: Secret,
  watches: [consulted(ServiceAccount), consulted(Pod, { podMountingSecret: pod => secretKeys(pod) })],
  writes: [whole(Secret)],
  async reconcile(secret, tools) {
    if (secret.type !== TOKEN_TYPE || secret.metadata.deletionTimestamp) return
    const { namespace = '', name = '', uid, resourceVersion, annotations = {} } = secret.metadata
    const account = tools.get(ServiceAccount, namespace, annotations[ACCOUNT] ?? '')
    // What the account does not name somebody has made on purpose.
    if (!account?.secrets?.some(one => one.name === name)) return
    const { now, parameters, again, list } = tools
    const step = planToken(secret, now, parameters.legacyServiceAccountTokenCleanUpPeriodMs)
    if (typeof step === 'number') return again(Math.max(1000, Math.min(step - now, DAY_MS)))
    again(DAY_MS)
    if (list(Pod, { index: ['podMountingSecret', `${namespace}/${name}`] }).length > 0) return
    if (!(await isTrackedLongEnough(tools))) return
    const request =
      step === 'delete'
        ? tools.client.delete(Secret, secret, { preconditions: { uid, resourceVersion } })
        : tools.client.patch(Secret, secret, {
            type: 'merge',
            body: { metadata: { uid, resourceVersion, labels: { [INVALID_SINCE]: dateOf(now) } } },
          })
    await request.catch(error => {
      if (!isNotFound(error) && !isConflict(error)) throw error
    })
  },
})

/** What is to be done with a token of which nobody makes use: mark it, delete it, or look again at a time (milliseconds since the epoch). */
export function planToken({ metadata }: Secret, now: number, periodMs: number): 'mark' | 'delete' | number {
  const { creationTimestamp = '', labels = {} } = metadata
  const keptUntil = Date.parse(creationTimestamp) + periodMs
  if (keptUntil >= now) return keptUntil + 1
  const oldest = dateOf(now - periodMs)
  const [used, invalid] = [labels[LAST_USED], labels[INVALID_SINCE]]
  if (used !== undefined && (!isDate(used) || used >= oldest)) return now + DAY_MS
  if (invalid === undefined || !isDate(invalid)) return 'mark'
  return invalid >= oldest ? now + DAY_MS : 'delete'
}

/** Use counts from the day after it began to be noted down. */
async function isTrackedLongEnough({ client, now, parameters }: Tools): Promise<boolean> {
  const tracking = await client.get(ConfigMap, TRACKING).catch(error => {
    if (!isNotFound(error)) throw error
  })
  const since = Date.parse(tracking?.data?.['since'] ?? '') + DAY_MS
  return since < now - parameters.legacyServiceAccountTokenCleanUpPeriodMs
}

function secretKeys({ metadata, spec }: Pod): string[] {
  return (spec.volumes ?? []).flatMap(({ secret }) => (secret?.secretName ? [`${metadata.namespace}/${secret.secretName}`] : []))
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)
const isDate = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))
