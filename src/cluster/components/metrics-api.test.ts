import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { newKeyPair } from '#base/pki/key-pair.ts'
import { seededRandom } from '#base/random/random.ts'
import { sleep } from '#base/time/clock.ts'
import { realClock } from '#base/time/real-clock.ts'
import { APIService } from '#kinds/apiregistration/v1/api-service.ts'
import { MemoryStore } from '#store/memory/memory-store.ts'
import { startControlPlane } from './control-plane.ts'
import { serveMetricsApi } from './metrics-api.ts'

const NAME = { name: 'v1beta1.metrics.k8s.io' }

describe('the resource metrics API', () => {
  it('shows as an available APIService, which leads to another server where somebody names one', async () => {
    const clock = realClock()
    const log = silentLogger
    const store = new MemoryStore({ clock })
    const plane = await startControlPlane({ store, clock, random: seededRandom(1), log, serviceAccountKeys: newKeyPair(), controllers: [] })
    const client = plane.clientFor({ name: 'admin', groups: ['system:masters'] })
    const serve = () => serveMetricsApi({ ...plane, client, kubelets: { preferredAddressTypes: [] }, clock, log })
    await serve()
    const available = async () => (await client.get(APIService, NAME)).status.conditions?.find(({ type }) => type === 'Available')
    while ((await available())?.status !== 'True') await sleep(clock, 5)
    expect(await available()).toMatchObject({ reason: 'Local' })

    const service = { namespace: 'kube-system', name: 'metrics-server', port: 443 }
    await client.patch(APIService, NAME, { type: 'merge', body: { spec: { service, insecureSkipTLSVerify: true } } })
    while ((await available())?.status !== 'False') await sleep(clock, 5)
    // The next start leaves it to the other.
    await serve()
    expect((await client.get(APIService, NAME)).spec).toMatchObject({ service, insecureSkipTLSVerify: true, groupPriorityMinimum: 100 })
    await plane.stop()
    await store.close()
  })
})
