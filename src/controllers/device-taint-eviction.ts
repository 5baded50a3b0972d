import { isTerminal, isTerminating } from '#kinds/core/v1/pod.facts.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import { ResourceClaim } from '#kinds/resource/v1/resource-claim.ts'
import { type DeviceTaint, ResourceSlice } from '#kinds/resource/v1/resource-slice.ts'
import { DeviceTaintRule } from '#kinds/resource/v1beta2/device-taint-rule.ts'
import { deviceEvictionAt, planRuleCondition, type RuleReach, selectsDevice } from './device-taint-eviction.plan.ts'
import type { Controller } from './runtime/controller.ts'
import { counter, histogram } from './runtime/controller-metrics.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { evictPod } from './runtime/evict-pod.ts'
import { consulted, mapped, type Watch } from './runtime/watches.ts'

const NAME = 'device-taint-eviction-controller'

const deletions = counter(
  'device_taint_eviction_controller_pod_deletions_total',
  'Total number of Pods deleted by DeviceTaintEvictionController since its start.',
)
const latency = histogram(
  'device_taint_eviction_controller_pod_deletion_duration_seconds',
  "Latency, in seconds, between the time when a device taint effect has been activated and a Pod's deletion via DeviceTaintEvictionController.",
  [],
  [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 30, 60, 120, 180, 240],
)
const BY_DEVICE = 'claimOfDevice'
const BY_POOL = 'sliceOfPool'
/** How often a rule tells how far it is, at most. */
const TELL_MS = 10_000

/**
 * Deletes pods that use devices with NoExecute taints which their claims don't tolerate, or no longer. Taints come from drivers, and, where
 * that API is served and its gate on, from DeviceTaintRules; each of those is told how far it is.
 */
export const deviceTaintEvictionController: Controller & { readonly definition: { readonly writes: readonly ReturnType<typeof whole>[] } } =
  {
    name: NAME,
    featureGates: ['DynamicResourceAllocation', 'DRADeviceTaints'],
    needs: [ResourceClaim, ResourceSlice, Pod],
    definition: { writes: [whole(Pod), status(Pod), status(DeviceTaintRule)] },
    run(context) {
      const hasRules = context.isGateOn('DRADeviceTaintRules') && context.kinds.has(DeviceTaintRule)
      const loops = (hasRules ? [eviction([RULES]), ruleStatus] : [eviction([])]).map(loop => loop.run(context))
      return {
        async [Symbol.asyncDispose]() {
          await Promise.all(loops.map(loop => loop[Symbol.asyncDispose]()))
        },
      }
    },
  }

const deviceKeys = ({ status: { allocation } }: ResourceClaim) =>
  (allocation?.devices?.results ?? []).map(({ driver, pool, device }) => `${driver}/${pool}/${device}`)
const taintedKeys = ({ spec }: ResourceSlice) =>
  (spec.devices ?? []).flatMap(({ name, taints }) => (taints?.length ? [`${spec.driver}/${spec.pool.name}/${name}`] : []))
const poolKeys = ({ spec }: ResourceSlice) => [`${spec.driver}/${spec.pool.name}`]

/** A rule concerns the claims that have one of its devices. */
const RULES: Watch = mapped(DeviceTaintRule, (rule, { reconciled }) =>
  (reconciled.list() as readonly ResourceClaim[]).filter(claim => resultsOf(claim).some(one => selectsDevice(rule, ...one))),
)

const eviction = (rules: readonly Watch[]) =>
  defineController({
    name: NAME,
    component: 'device-taint-eviction',
    reconciles: ResourceClaim,
    watches: [
      mapped(ResourceClaim, () => [], { [BY_DEVICE]: deviceKeys }),
      mapped(
        ResourceSlice,
        (slice, { cacheOf }) => taintedKeys(slice).flatMap(key => [...cacheOf(ResourceClaim).byIndex(BY_DEVICE, key)]),
        {
          [BY_POOL]: poolKeys,
        },
      ),
      mapped(Pod, ({ metadata, spec, status: { resourceClaimStatuses = [] } }) =>
        [...(spec.resourceClaims ?? []), ...resourceClaimStatuses].flatMap(({ resourceClaimName: name }) =>
          name ? [`${metadata.namespace}/${name}`] : [],
        ),
      ),
      ...rules,
    ],
    async reconcile(claim, tools) {
      const ruling = rules.length > 0 ? tools.list(DeviceTaintRule) : []
      const taints = (driver: string, pool: string, device: string) => [
        ...taintsOf(driver, pool, device, tools),
        ...ruling.filter(rule => selectsDevice(rule, driver, pool, device)).map(({ spec }) => spec.taint),
      ]
      const dueMs = deviceEvictionAt(claim, taints, tools.now)
      if (dueMs === undefined) return
      if (dueMs > tools.now) return tools.again(dueMs - tools.now)
      for (const pod of usersOf(claim, tools)) {
        await evictPod(pod, EVICTION, tools)
        tools.metrics.count(deletions)
        tools.metrics.observe(latency, [], Math.max(0, tools.clock.now() - dueMs) / 1000)
      }
    },
  })

const EVICTION = {
  event: 'DeviceTaintManagerEviction',
  reason: 'DeletionByDeviceTaintManager',
  message: 'Device Taint manager: deleting due to NoExecute taint',
}

const ruleStatus = defineController({
  name: NAME,
  component: 'device-taint-eviction',
  reconciles: DeviceTaintRule,
  watches: [
    mapped(ResourceClaim, (claim, { reconciled }) =>
      (reconciled.list() as readonly DeviceTaintRule[]).filter(rule => resultsOf(claim).some(one => selectsDevice(rule, ...one))),
    ),
    consulted(ResourceSlice, { [BY_POOL]: poolKeys }),
    mapped(Pod, ({ spec }, { reconciled }) => (spec.resourceClaims?.length ? reconciled.list() : [])),
  ],
  async reconcile(rule, { list, get, now, again, updateStatus }) {
    const [before] = rule.status.conditions ?? []
    const isOfThis = before?.observedGeneration === (rule.metadata.generation ?? 0)
    // What would happen is told once; what happens, no more often than people read.
    if (isOfThis && before.reason === 'NoEffect') return
    const waitMs = isOfThis ? Date.parse(before.lastTransitionTime ?? '') + TELL_MS - now : 0
    if (waitMs > 0) return again(waitMs)
    const condition = planRuleCondition(rule, reachOf(rule, { list, get, now }), now)
    await updateStatus(DeviceTaintRule, rule, { ...rule.status, conditions: [condition] })
    if (condition.status === 'True') again(TELL_MS)
  },
})

/** What a rule meets right now. One without effect is counted as if it had one. */
function reachOf(rule: DeviceTaintRule, { list, get, now }: Pick<Tools, 'list' | 'get' | 'now'>): RuleReach {
  const acting = { ...rule.spec.taint, effect: 'NoExecute' as const }
  const claims = list(ResourceClaim).filter(claim => resultsOf(claim).some(one => selectsDevice(rule, ...one)))
  const allocated = claims.flatMap(resultsOf).filter(one => selectsDevice(rule, ...one)).length
  const published = new Set<string>()
  for (const { spec } of newest(list(ResourceSlice)))
    for (const { name } of spec.devices ?? [])
      if (selectsDevice(rule, spec.driver, spec.pool.name, name)) published.add(`${spec.driver}/${spec.pool.name}/${name}`)
  const going = claims.filter(
    claim => deviceEvictionAt(claim, (...device) => (selectsDevice(rule, ...device) ? [acting] : []), now) !== undefined,
  )
  const pods = new Set(going.flatMap(claim => usersOf(claim, { get })))
  return {
    published: published.size,
    allocated,
    pods: pods.size,
    namespaces: new Set([...pods].map(({ metadata }) => metadata.namespace)).size,
  }
}

function resultsOf({ status: { allocation } }: ResourceClaim): (readonly [driver: string, pool: string, device: string])[] {
  return (allocation?.devices?.results ?? []).map(({ driver, pool, device }) => [driver, pool, device] as const)
}

/** The pods that have a claim and are on a node with it, ended ones and those on their way left out. */
function usersOf({ metadata, status }: ResourceClaim, { get }: Pick<Tools, 'get'>): Pod[] {
  return (status.reservedFor ?? []).flatMap(({ resource, name, uid }) => {
    const pod = resource === 'pods' ? get(Pod, metadata.namespace ?? '', name) : undefined
    return pod?.spec.nodeName && pod.metadata.uid === uid && !isTerminating(pod) && !isTerminal(pod) ? [pod] : []
  })
}

/** The slices of the newest generation of each pool. */
function newest(slices: readonly ResourceSlice[]): readonly ResourceSlice[] {
  const generations = new Map<string, number>()
  for (const slice of slices)
    generations.set(poolKeys(slice)[0]!, Math.max(generations.get(poolKeys(slice)[0]!) ?? 0, Number(slice.spec.pool.generation)))
  return slices.filter(slice => Number(slice.spec.pool.generation) === generations.get(poolKeys(slice)[0]!))
}

/** The taints of a device, as the newest slices of its pool say. */
function taintsOf(driver: string, pool: string, device: string, { list }: Pick<Tools, 'list'>): readonly DeviceTaint[] {
  for (const { spec } of newest(list(ResourceSlice, { index: [BY_POOL, `${driver}/${pool}`] }))) {
    const found = spec.devices?.find(({ name }) => name === device)
    if (found) return found.taints ?? []
  }
  return []
}
