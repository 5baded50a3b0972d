import { describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log/logger.ts'
import { seededRandom } from '#base/random/random.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { FakeApi } from '#client/fake/fake-api.ts'
import { builtInKinds } from '#kinds/kinds.ts'
import { servedKinds } from '#kinds/served-kinds.ts'
import type { FeatureGates } from '#machinery/feature-gates/feature-gates.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { kindRegistry } from '#machinery/kind/kind-registry.ts'
import { controllers } from './controllers.ts'
import { startControllers } from './start-controllers.ts'

/** The names of the controllers that start. */
async function started(served: readonly AnyKind[], featureGates: FeatureGates = {}, enabled = ['*']): Promise<string[]> {
  const clock = virtualClock()
  const names: string[] = []
  const noted = controllers.map(controller => ({
    ...controller,
    run: () => {
      names.push(controller.name)
      return { [Symbol.asyncDispose]: async () => {} }
    },
  }))
  const client = new FakeApi(clock).client()
  const kinds = kindRegistry(served)
  const random = seededRandom(1)
  await startControllers({ client, clock, random, log: silentLogger, kinds, featureGates, enabled, controllers: noted }).stop()
  return names
}

const OPTIONAL = [
  'podcertificaterequest-cleaner-controller',
  'podgroup-protection-controller',
  'kube-apiserver-serving-clustertrustbundle-publisher-controller',
  'storageversion-garbage-collector-controller',
  'resourcepoolstatusrequest-controller',
  'storage-version-migrator-controller',
]
const BY_NAME_ONLY = ['bootstrap-signer-controller', 'token-cleaner-controller', 'selinux-warning-controller']
const everything = servedKinds({ 'api/all': true }).kinds

describe('which controllers start', () => {
  it('are those of stable APIs when nothing is said, as upstream', async () => {
    const usual = controllers.map(({ name }) => name).filter(name => !OPTIONAL.includes(name) && !BY_NAME_ONLY.includes(name))
    expect(await started(builtInKinds)).toEqual(usual)
    expect(usual).toContain('device-taint-eviction-controller')
  })

  it('take both the API and the gate to be more', async () => {
    const gates = { AllAlpha: true, AllBeta: true }
    const usual = await started(builtInKinds)
    expect(await started(everything)).toEqual(usual)
    expect(await started(builtInKinds, gates)).toEqual(usual)
    expect((await started(everything, gates)).filter(name => !usual.includes(name))).toEqual(OPTIONAL)
    const migration = servedKinds({ 'storagemigration.k8s.io/v1beta1': true }).kinds
    expect((await started(migration, { StorageVersionMigrator: true })).filter(name => !usual.includes(name))).toEqual([
      'storage-version-migrator-controller',
    ])
  })

  it('lose those whose gate is off or whose API is not served', async () => {
    expect(await started(builtInKinds, { DRADeviceTaints: false })).not.toContain('device-taint-eviction-controller')
    const without = await started(servedKinds({ 'batch/v1': false }).kinds)
    expect(without).not.toContain('job-controller')
    expect(without).not.toContain('cronjob-controller')
    expect(without).toContain('deployment-controller')
  })

  it('start by name where * does not mean them, unless their gate is off', async () => {
    expect(await started(builtInKinds, {}, ['selinux-warning-controller'])).toEqual(['selinux-warning-controller'])
    expect(await started(everything, {}, ['storage-version-migrator-controller'])).toEqual([])
  })
})
