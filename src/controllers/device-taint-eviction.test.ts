import { describe, expect, it } from 'vitest'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { DeviceTaintRule } from '#kinds/resource/v1beta2/device-taint-rule.ts'
import { timeOf } from '#machinery/time/time.ts'
import { planRuleCondition, type RuleReach, selectsDevice } from './device-taint-eviction.plan.ts'
import { deviceTaintEvictionController } from './device-taint-eviction.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const rule = (effect: string, more: object = {}, condition?: object) =>
  ({
    metadata: { name: 'r', generation: 2 },
    spec: { deviceSelector: {}, taint: { key: 'k', effect }, ...more },
    status: { conditions: condition ? [{ type: 'EvictionInProgress', ...condition }] : [] },
  }) as unknown as DeviceTaintRule

describe('which devices a rule is about', () => {
  it.each([
    ['none without a selector', undefined, false],
    ['all with an empty one', {}, true],
    ['those of a driver', { driver: 'gpu.example' }, true],
    ['not those of another driver', { driver: 'nic.example' }, false],
    ['a pool of a driver', { driver: 'gpu.example', pool: 'n1' }, true],
    ['not another device', { device: 'g1' }, false],
  ])('%s', (_, deviceSelector, expected) => {
    expect(selectsDevice(rule('NoExecute', { deviceSelector }), 'gpu.example', 'n1', 'g0')).toBe(expected)
  })
})

describe('what a rule says of itself', () => {
  const reach = (pods: number, namespaces = pods): RuleReach => ({ published: 4, allocated: 1, pods, namespaces })
  const was = (reason: string, observedGeneration = 2) => ({
    status: 'False',
    reason,
    message: '',
    observedGeneration,
    lastTransitionTime: 'T',
  })
  it.each<[string, DeviceTaintRule, RuleReach, object]>([
    ['before anything', rule('NoExecute'), reach(0), { status: 'False', reason: 'NotStarted' }],
    [
      'with one pod',
      rule('NoExecute'),
      reach(1),
      { status: 'True', reason: 'PodsPendingEviction', message: '1 pod needs to be evicted in 1 namespace.' },
    ],
    ['with more', rule('NoExecute'), reach(5, 2), { message: '5 pods need to be evicted in 2 different namespaces.' }],
    ['after the last', rule('NoExecute', {}, was('PodsPendingEviction')), reach(0), { status: 'False', reason: 'Completed' }],
    ['when it has changed since', rule('NoExecute', {}, was('PodsPendingEviction', 1)), reach(0), { reason: 'NotStarted' }],
    ['with another effect', rule('NoSchedule'), reach(3), { reason: 'OtherEffect' }],
    [
      'without effect',
      rule('None'),
      reach(2, 1),
      {
        reason: 'NoEffect',
        message: expect.stringMatching(
          /^4 published devices selected\. 1 allocated device selected\. 2 pods would be evicted in 1 namespace if/,
        ),
      },
    ],
    ['when nothing is new', rule('NoExecute', {}, was('NotStarted')), reach(0), { lastTransitionTime: 'T' }],
  ])('%s', (_, subject, reached, expected) => {
    expect(planRuleCondition(subject, reached, 0)).toMatchObject({ type: 'EvictionInProgress', observedGeneration: 2, ...expected })
  })
})

describe('device-taint-eviction-controller with rules', () => {
  const result = { request: 'gpu', driver: 'gpu.example', pool: 'n1', device: 'g0' }
  function claimed({ api }: TestCluster, tolerations?: object[]) {
    const pool = { name: 'n1', generation: 1, resourceSliceCount: 1 }
    api.put(ResourceSlice, { metadata: { name: 's' }, spec: { driver: 'gpu.example', pool, devices: [{ name: 'g0' }, { name: 'g1' }] } })
    const metadata = { name: 'train', namespace: 'default' }
    const pod = api.put(Pod, { metadata, spec: { nodeName: 'n1', containers: [] }, status: { phase: 'Running' } })
    const reservedFor = [{ resource: 'pods', name: 'train', uid: pod.metadata.uid }]
    const results = [{ ...result, ...(tolerations ? { tolerations } : {}) }]
    api.put(ResourceClaim, {
      metadata: { name: 'c', namespace: 'default' },
      spec: {},
      status: { allocation: { devices: { results } }, reservedFor },
    })
  }
  const recall = (cluster: TestCluster, effect: string) =>
    cluster.api.put(DeviceTaintRule, {
      metadata: { name: 'recall' },
      spec: { deviceSelector: { driver: 'gpu.example' }, taint: { key: 'recall', effect, timeAdded: timeOf(cluster.clock.now()) } },
    })
  const isGoing = ({ api }: TestCluster) => api.find(Pod, 'train')!.metadata.deletionTimestamp !== undefined
  const reasonOf = ({ api }: TestCluster) => api.find(DeviceTaintRule, 'recall', '')!.status.conditions?.[0]?.reason

  it('evicts the pods of a device that a rule taints', async () => {
    await using cluster = testCluster([deviceTaintEvictionController])
    claimed(cluster)
    recall(cluster, 'NoExecute')
    await cluster.advance(1_000)
    expect(isGoing(cluster)).toBe(true)
    await cluster.advance(30_000)
    expect(reasonOf(cluster)).not.toBe('PodsPendingEviction')
  })

  it('waits as long as a claim tolerates it, and tells of the pod that is still there', async () => {
    await using cluster = testCluster([deviceTaintEvictionController])
    claimed(cluster, [{ key: 'recall', operator: 'Exists', tolerationSeconds: 60 }])
    recall(cluster, 'NoExecute')
    await cluster.advance(50_000)
    expect([isGoing(cluster), reasonOf(cluster)]).toEqual([false, 'PodsPendingEviction'])
    await cluster.advance(30_000)
    expect([isGoing(cluster), reasonOf(cluster)]).toEqual([true, 'Completed'])
  })

  it('says what would happen, once, and does nothing, when a rule has no effect', async () => {
    await using cluster = testCluster([deviceTaintEvictionController])
    claimed(cluster)
    recall(cluster, 'None')
    await cluster.advance(60_000)
    expect(isGoing(cluster)).toBe(false)
    expect(cluster.api.find(DeviceTaintRule, 'recall', '')!.status.conditions![0]!.message).toContain('1 pod would be evicted')
    expect(cluster.api.writes.filter(({ kind }) => kind === 'DeviceTaintRule')).toHaveLength(1)
  })
})
