import type { Client } from '#client/client.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { ensureAll } from './ensure.ts'

const NAME = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }

/** Notes down since when the server notes which tokens in secrets are used: before that, no sign of use means nothing (KEP-2799). */
export async function ensureLegacyTokenTracking(client: Client, now: number): Promise<void> {
  const since = new Date(now).toISOString().slice(0, 10)
  await ensureAll(client, ConfigMap, [{ metadata: NAME, data: { since } }], present => {
    const tracking = present as ConfigMap
    return isDate(tracking.data?.['since']) ? undefined : { ...tracking, data: { ...tracking.data, since } }
  })
}

function isDate(text = ''): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))
}
