import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { isConflict, isNotFound } from '#machinery/status/status-error.ts'
import type { Controller } from './runtime/controller.ts'
import { defineController, type Tools, type Written, whole } from './runtime/define-controller.ts'
import { consulted } from './runtime/watches.ts'

const TOKEN_TYPE = 'kubernetes.io/service-account-token'
const ACCOUNT = 'kubernetes.io/service-account.name'
const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
/** Written by the API server: since when it notes down which tokens are used. */
const TRACKING = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }
const DAY_MS = 24 * 3600_000

const NAME = 'legacy-serviceaccount-token-cleaner-controller'

/**
 * Marks tokens of service accounts that were made of their own accord and not used for long, and deletes them when that was long ago as well.
 * Each is looked at once a day: who takes a mark away has so long to use the token again.
 */
export const legacyServiceAccountTokenCleanerController: Controller & { readonly definition: { readonly writes: readonly Written[] } } = {
  name: NAME,
  needs: [Secret, ServiceAccount, Pod],
  definition: { writes: [whole(Secret)] },
  run: context => cleaner().run(context),
}

/** When it last looked at a secret it remembers as long as it runs. */
function cleaner() {
  const looks = new Map<string, { readonly uid: string; readonly atMs: number }>()
  return defineController({
    name: NAME,
    reconciles: Secret,
    watches: [consulted(ServiceAccount), consulted(Pod, { podMountingSecret: pod => secretKeys(pod) })],
    async reconcile(secret, tools) {
      const { namespace = '', name = '', uid = '', deletionTimestamp } = secret.metadata
      if (secret.type !== TOKEN_TYPE || deletionTimestamp) return
      const last = looks.get(`${namespace}/${name}`)
      if (last?.uid === uid && tools.now - last.atMs < DAY_MS) return tools.again(last.atMs + DAY_MS - tools.now)
      tools.again(DAY_MS)
      await look(secret, tools)
      looks.set(`${namespace}/${name}`, { uid, atMs: tools.now })
    },
    async gone({ namespace, name }) {
      looks.delete(`${namespace}/${name}`)
    },
  })
}

async function look(secret: Secret, tools: Tools): Promise<void> {
  const { namespace = '', name = '', uid, resourceVersion, annotations = {} } = secret.metadata
  const account = tools.get(ServiceAccount, namespace, annotations[ACCOUNT] ?? '')
  // What the account does not name somebody has made on purpose.
  if (!account?.secrets?.some(one => one.name === name)) return
  const { now, parameters, list } = tools
  const step = planToken(secret, now, parameters.legacyServiceAccountTokenCleanUpPeriodMs)
  if (step === 'keep' || list(Pod, { index: ['podMountingSecret', `${namespace}/${name}`] }).length > 0) return
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
}

/** What is to be done with a token of which nobody makes use. */
export function planToken({ metadata }: Secret, now: number, periodMs: number): 'mark' | 'delete' | 'keep' {
  const { creationTimestamp = '', labels = {} } = metadata
  if (Date.parse(creationTimestamp) + periodMs >= now) return 'keep'
  const oldest = dateOf(now - periodMs)
  const [used, invalid] = [labels[LAST_USED], labels[INVALID_SINCE]]
  if (used !== undefined && (!isDate(used) || used >= oldest)) return 'keep'
  if (invalid === undefined || !isDate(invalid)) return 'mark'
  return invalid >= oldest ? 'keep' : 'delete'
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
