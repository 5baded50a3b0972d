import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { tokenSigner } from '#base/pki/json-web-token.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { startControlPlane } from '#cluster/components/control-plane.ts'
import type { SignServiceAccountToken } from '#controllers/runtime/parameters.ts'
import { TokenReview } from '#kinds/authentication/v1/token-review.ts'
import { ConfigMap } from '#kinds/core/v1/config-map.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { Secret } from '#kinds/core/v1/secret.ts'
import { ServiceAccount } from '#kinds/core/v1/service-account.ts'
import { isNotFound } from '#machinery/status/status-error.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'

/*
 * Tokens of service accounts in secrets, from their first use to their end: the API server notes their use, the cleaner marks and deletes what
 * nobody uses, and the API server turns away what is marked.
 */

const HOUR_MS = 3600_000
const DAY_MS = 24 * HOUR_MS
/** A year, as upstream has it, would only take longer. */
const PERIOD_MS = 4 * DAY_MS
const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
const within = (name: string) => ({ name, namespace: 'default' })

describe('a token of a service account in a secret', () => {
  it('is marked and then deleted when nobody uses it, and stays while somebody does', async () => {
    const clock = virtualClock(Date.UTC(2026, 0, 1))
    const keys = newKeyPair()
    const signer = tokenSigner(keys.privateKey)
    const sign: SignServiceAccountToken = ({ namespace, serviceAccount, serviceAccountUid, secret }) =>
      signer.sign({
        iss: 'kubernetes/serviceaccount',
        sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
        'kubernetes.io/serviceaccount/namespace': namespace,
        'kubernetes.io/serviceaccount/secret.name': secret,
        'kubernetes.io/serviceaccount/service-account.name': serviceAccount,
        'kubernetes.io/serviceaccount/service-account.uid': serviceAccountUid,
      })
    const store = new MemoryStore({ clock })
    let isUp = false
    const starting = startControlPlane({
      store,
      clock,
      random: seededRandom(1),
      log: silentLogger,
      serviceAccountKeys: keys,
      controllers: ['serviceaccount-token-controller', 'legacy-serviceaccount-token-cleaner-controller', 'serviceaccount-controller'],
      parameters: { signServiceAccountToken: sign, legacyServiceAccountTokenCleanUpPeriodMs: PERIOD_MS },
    }).finally(() => {
      isUp = true
    })
    while (!isUp) await clock.advance(10)
    const plane = await starting
    const client = plane.clientFor({ name: 'admin', groups: ['system:masters'] }, 'test')
    const tracking = await client.get(ConfigMap, { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' })
    expect(tracking.data).toEqual({ since: '2026-01-01' })

    await client.create(ServiceAccount, {
      metadata: within('app'),
      secrets: [{ name: 'used' }, { name: 'forgotten' }, { name: 'mounted' }],
    } as never)
    const type = 'kubernetes.io/service-account-token'
    for (const name of ['used', 'forgotten', 'mounted', 'by-hand'])
      await client.create(Secret, {
        metadata: { ...within(name), annotations: { 'kubernetes.io/service-account.name': 'app' } },
        type,
      } as never)
    // It has a node, so that nobody looks for one every five minutes.
    const volumes = [{ name: 'v', secret: { secretName: 'mounted' } }]
    await client.create(Pod, { metadata: within('p'), spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i' }], volumes } } as never)
    await clock.advance(1_000)
    const secret = (name: string) => client.get(Secret, within(name))
    const labels = async (name: string) => (await secret(name)).metadata.labels ?? {}
    const tokenOf = async (name: string) => {
      // Signing takes real time, however little.
      while (!(await secret(name)).data?.['token']) await clock.advance(10)
      return atob((await secret(name)).data!['token']!)
    }
    const review = async (token: string) => (await client.create(TokenReview, { spec: { token } })).status
    const days = async (count: number, daily: () => Promise<unknown> = async () => {}) => {
      for (let day = 0; day < count; day++) {
        await daily()
        for (let hour = 0; hour < 24; hour++) await clock.advance(HOUR_MS)
      }
    }

    const [used, forgotten] = [await tokenOf('used'), await tokenOf('forgotten')]
    for (const token of [used, forgotten])
      expect(await review(token)).toMatchObject({ authenticated: true, user: { username: 'system:serviceaccount:default:app' } })
    await clock.advance(1_000)
    expect(await labels('used')).toMatchObject({ [LAST_USED]: '2026-01-01' })

    await days(3, () => review(used))
    expect(await labels('forgotten')).toEqual({ [LAST_USED]: '2026-01-01' })
    expect(await labels('used')).toMatchObject({ [LAST_USED]: '2026-01-03' })

    // Unused for longer than the period, and noted down for longer than that: it is marked, and good for nothing.
    await days(4, () => review(used))
    const { [INVALID_SINCE]: markedOn = '' } = await labels('forgotten')
    expect(markedOn >= '2026-01-05' && markedOn <= '2026-01-08').toBe(true)
    const refused = await review(forgotten)
    expect(refused.authenticated).toBeFalsy()
    expect(refused.error).toContain('has been marked invalid')
    expect((await review(used)).authenticated).toBe(true)

    // Who takes the mark away has it back: for a while.
    await client.patch(Secret, within('forgotten'), { type: 'merge', body: { metadata: { labels: { [INVALID_SINCE]: null } } } })
    await clock.advance(11_000)
    expect((await review(forgotten)).authenticated).toBe(true)
    await clock.advance(1_000)
    expect(Object.keys(await labels('forgotten'))).toEqual([LAST_USED])

    // A period without use until it is marked again, and another one until it is gone.
    await days(12, () => review(used))
    await expect(secret('forgotten')).rejects.toSatisfy(isNotFound)
    expect((await review(forgotten)).authenticated).toBeFalsy()
    expect((await review(used)).authenticated).toBe(true)
    // What a pod mounts, and what somebody made by hand, nobody touches.
    for (const name of ['mounted', 'by-hand']) expect(await labels(name)).toEqual({})

    const stopping = plane.stop().then(() => store.close())
    await clock.advance(1_000)
    await stopping
  }, 120_000)
})
