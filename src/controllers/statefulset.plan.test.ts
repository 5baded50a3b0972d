import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StatefulSet } from '#kinds/apps/v1/stateful-set.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import { timeOf } from '#machinery/time/time.ts'
import { REVISION_LABEL } from './runtime/controller-revisions.ts'
import { planStatefulSet } from './statefulset.plan.ts'

const NOW = Date.UTC(2026, 0, 1)
const MIN_READY_SECONDS = 10
const revisions = { current: 'old', update: 'new', collisionCount: 0 }

/** What a pod is like, in the order of how well it does. */
const STATES = ['failed', 'ending', 'pending', 'unready', 'just ready', 'well', 'terminating'] as const
type State = (typeof STATES)[number]
interface Seen {
  readonly ordinal: number
  readonly state: State
  readonly revision: 'old' | 'new'
}
interface Wanted {
  readonly replicas: number
  readonly start: number
  readonly isParallel: boolean
  readonly partition: number
  readonly maxUnavailable: number | string
  readonly isOnDelete: boolean
  readonly isDeleted?: boolean
}

const isGoing = (state: State) => state === 'terminating' || state === 'ending'

function podOf({ ordinal, state, revision }: Seen): Pod {
  const isReady = ['just ready', 'well', 'terminating'].includes(state)
  const since = timeOf(NOW - (state === 'just ready' ? 1 : 60) * 1000)
  return {
    metadata: {
      name: `db-${ordinal}`,
      namespace: 'default',
      uid: `uid-${ordinal}`,
      labels: { [REVISION_LABEL]: revision },
      ...(isGoing(state) ? { deletionTimestamp: timeOf(NOW) } : {}),
    },
    spec: { containers: [] },
    status: {
      phase: ['failed', 'ending'].includes(state) ? 'Failed' : state === 'pending' ? 'Pending' : 'Running',
      conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False', lastTransitionTime: since }],
    },
  } as unknown as Pod
}

function plan(wanted: Wanted, seen: readonly Seen[]) {
  const { replicas, start, isParallel, partition, maxUnavailable, isOnDelete, isDeleted } = wanted
  const set = {
    metadata: { name: 'db', namespace: 'default', generation: 1, ...(isDeleted ? { deletionTimestamp: timeOf(NOW) } : {}) },
    spec: {
      replicas,
      minReadySeconds: MIN_READY_SECONDS,
      ordinals: { start },
      podManagementPolicy: isParallel ? 'Parallel' : 'OrderedReady',
      updateStrategy: isOnDelete ? { type: 'OnDelete' } : { type: 'RollingUpdate', rollingUpdate: { partition, maxUnavailable } },
    },
    status: {},
  } as unknown as StatefulSet
  const result = planStatefulSet(set, seen.map(podOf), revisions, NOW)
  const ordinal = (pod: Pod) => Number(pod.metadata.name!.slice(3))
  return { create: result.create, delete: result.delete.map(ordinal), status: result.status }
}

const situation = fc
  .record({
    replicas: fc.nat({ max: 4 }),
    start: fc.nat({ max: 2 }),
    isParallel: fc.boolean(),
    partition: fc.nat({ max: 3 }),
    maxUnavailable: fc.integer({ min: 1, max: 2 }),
    isOnDelete: fc.boolean(),
    states: fc.array(
      fc.option(
        fc.record({
          state: fc.constantFrom(...STATES, 'well', 'well', 'well', 'well'),
          revision: fc.constantFrom('old' as const, 'new' as const),
        }),
      ),
      {
        maxLength: 6,
      },
    ),
  })
  .map(({ states, ...wanted }) => ({ wanted, seen: states.flatMap((one, ordinal) => (one ? [{ ordinal, ...one }] : [])) }))

describe('the plan of a StatefulSet', () => {
  it('SAFETY: never takes a step that its rules forbid. LIVENESS: takes one where they allow it', () => {
    fc.assert(
      fc.property(situation, ({ wanted, seen }) => {
        const { replicas, start, isParallel, partition, maxUnavailable, isOnDelete } = wanted
        const steps = plan(wanted, seen)
        const at = (ordinal: number) => seen.find(one => one.ordinal === ordinal)
        const isWell = (ordinal: number) => at(ordinal)?.state === 'well'
        const places = Array.from({ length: replicas }, (_, index) => start + index)
        const condemned = seen.filter(({ ordinal }) => !places.includes(ordinal)).sort((a, b) => b.ordinal - a.ordinal)
        const updated = steps.delete.filter(ordinal => places.includes(ordinal) && at(ordinal)!.state !== 'failed')
        const renewed = steps.delete.filter(ordinal => places.includes(ordinal) && at(ordinal)!.state === 'failed')

        // SAFETY
        for (const { ordinal, revision } of steps.create) {
          expect(places).toContain(ordinal)
          expect(at(ordinal)).toBeUndefined()
          expect(revision).toBe(!isOnDelete && ordinal < start + partition ? 'old' : 'new')
          if (!isParallel) for (const before of places.filter(place => place < ordinal)) expect(isWell(before)).toBe(true)
        }
        for (const ordinal of steps.delete) expect(isGoing(at(ordinal)!.state)).toBe(false)
        expect(new Set(steps.delete).size).toBe(steps.delete.length)
        if (!isParallel) {
          if (maxUnavailable === 1) expect(steps.create.length + steps.delete.length).toBeLessThanOrEqual(1)
          for (const ordinal of renewed) for (const before of places.filter(place => place < ordinal)) expect(isWell(before)).toBe(true)
          const going = steps.delete.filter(ordinal => !places.includes(ordinal))
          for (const ordinal of going) {
            expect(ordinal).toBe(condemned[0]!.ordinal)
            expect(places.every(isWell)).toBe(true)
            // Nobody takes a sick one away while another below it is sick: it may be what the others wait for.
            const sickBelow = condemned.some(one => one.ordinal < ordinal && one.state !== 'well')
            if (at(ordinal)!.state !== 'well' && at(ordinal)!.state !== 'failed') expect(sickBelow).toBe(false)
          }
          if (condemned.length > 0) expect(updated).toEqual([])
        }
        if (isOnDelete) expect(updated).toEqual([])
        for (const ordinal of updated) {
          expect(at(ordinal)!.revision).toBe('old')
          expect(ordinal).toBeGreaterThanOrEqual(start + partition)
          expect(steps.create).toEqual([])
          expect(renewed).toEqual([])
        }
        const limit = Math.max(1, maxUnavailable)
        if (updated.some(isWell)) {
          const missing = places.filter(place => !isWell(place) || updated.includes(place))
          expect(missing.length).toBeLessThanOrEqual(Math.max(limit, places.filter(place => !isWell(place)).length + (limit - 1)))
          const fine = updated.filter(isWell).length
          expect(fine).toBeLessThanOrEqual(limit - Math.min(limit, places.filter(place => !isWell(place)).length))
        }
        if (limit === 1) {
          expect(updated.length).toBeLessThanOrEqual(1)
          for (const ordinal of updated)
            for (const above of places.filter(place => place > ordinal))
              expect(isWell(above) && (at(above)!.revision === 'new' || !isWell(ordinal))).toBe(true)
        }

        // LIVENESS
        const firstSick = places.find(place => !isWell(place))
        if (firstSick !== undefined && !at(firstSick)) expect(steps.create.map(({ ordinal }) => ordinal)).toContain(firstSick)
        if (firstSick !== undefined && at(firstSick)?.state === 'failed') expect(steps.delete).toContain(firstSick)
        if (firstSick === undefined && condemned[0] && ['well', 'failed'].includes(condemned[0].state))
          expect(steps.delete).toContain(condemned[0].ordinal)
        if (firstSick === undefined && condemned.length === 1 && !isGoing(condemned[0]!.state))
          expect(steps.delete).toContain(condemned[0]!.ordinal)
        const isQuiet = steps.create.length + renewed.length === 0 && (isParallel || (firstSick === undefined && condemned.length === 0))
        const stale = places.filter(place => place >= start + partition && at(place)?.revision === 'old').reverse()
        if (isQuiet && !isOnDelete && stale.length > 0 && places.every(place => at(place) && !isGoing(at(place)!.state))) {
          const isFree = limit > 1 || places.filter(place => place > stale[0]!).every(isWell)
          const sick = stale.filter(place => !isWell(place))
          if (limit > 1) for (const place of sick) expect(updated).toContain(place)
          if (isFree && (sick.length > 0 ? limit > 1 || sick[0] === stale[0] : places.every(isWell)))
            expect(updated.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('does nothing more for a set that is being deleted, and reads shares of pods upwards', () => {
    const wanted = { replicas: 4, start: 0, isParallel: true, partition: 0, maxUnavailable: '26%', isOnDelete: false }
    const old = [0, 1, 2, 3].map(ordinal => ({ ordinal, state: 'well' as const, revision: 'old' as const }))
    expect(plan(wanted, old).delete).toEqual([3, 2])
    expect(plan({ ...wanted, maxUnavailable: '1%' }, old).delete).toEqual([3])
    expect(plan({ ...wanted, isDeleted: true }, old.slice(1))).toMatchObject({ create: [], delete: [] })
  })

  it('counts what there is', () => {
    const wanted = { replicas: 3, start: 0, isParallel: true, partition: 0, maxUnavailable: 1, isOnDelete: false }
    const { status } = plan(wanted, [
      { ordinal: 0, state: 'well', revision: 'old' },
      { ordinal: 1, state: 'just ready', revision: 'new' },
      { ordinal: 2, state: 'terminating', revision: 'old' },
    ])
    expect(status).toMatchObject({
      replicas: 3,
      readyReplicas: 3,
      availableReplicas: 2,
      currentReplicas: 1,
      updatedReplicas: 1,
      currentRevision: 'old',
    })
    const done = plan(
      wanted,
      [0, 1, 2].map(ordinal => ({ ordinal, state: 'well' as const, revision: 'new' as const })),
    )
    expect(done.status).toMatchObject({ currentRevision: 'new', currentReplicas: 3, updatedReplicas: 3 })
    const half = plan(
      wanted,
      [0, 1, 2].map(ordinal => ({ ordinal, state: ordinal === 2 ? ('unready' as const) : ('well' as const), revision: 'new' as const })),
    )
    expect(half.status).toMatchObject({ currentRevision: 'old' })
  })
})
