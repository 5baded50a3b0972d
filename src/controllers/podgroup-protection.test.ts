import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pod } from '#kinds/core/v1/pod.ts'
import { PodGroup } from '#kinds/scheduling/v1alpha2/pod-group.ts'
import { podGroupProtectionController } from './podgroup-protection.ts'
import { type TestCluster, testCluster } from './runtime/test-cluster.ts'

const FINALIZER = 'scheduling.k8s.io/podgroup-protection'

function group({ api }: TestCluster, deleted: boolean): void {
  api.put(PodGroup, {
    metadata: { name: 'gang', namespace: 'default', finalizers: [FINALIZER] },
    spec: { schedulingPolicy: { basic: {} } },
  })
  if (deleted)
    api.change(PodGroup, 'gang', next => {
      next.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
    })
}

function pod({ api }: TestCluster, name: string, phase: string, podGroupName = 'gang'): void {
  const metadata = { name, namespace: 'default' }
  api.put(Pod, { metadata, spec: { containers: [], schedulingGroup: { podGroupName } }, status: { phase } })
}

const isThere = ({ api }: TestCluster) => api.find(PodGroup, 'gang') !== undefined

describe('podgroup-protection-controller', () => {
  it.each([
    ['keeps a group that is not deleted', false, [], true],
    ['lets go of one without pods', true, [], false],
    ['lets go of one whose pods have ended', true, ['Succeeded', 'Failed'], false],
    ['keeps one with a pod at work', true, ['Succeeded', 'Running'], true],
    ['keeps one with a pod that waits', true, ['Pending'], true],
  ] as const)('%s', async (_, deleted, phases, stays) => {
    await using cluster = testCluster([podGroupProtectionController])
    for (const [index, phase] of phases.entries()) pod(cluster, `p${index}`, phase)
    pod(cluster, 'other', 'Running', 'another-gang')
    group(cluster, deleted)
    await cluster.advance(1_000)
    expect(isThere(cluster)).toBe(stays)
  })

  it('asks the server before it lets go: its cache may not know of a pod yet', async () => {
    await using cluster = testCluster([podGroupProtectionController])
    group(cluster, false)
    await cluster.settle()
    cluster.api.held = true
    pod(cluster, 'unseen', 'Running')
    cluster.api.held = false
    cluster.api.change(PodGroup, 'gang', next => {
      next.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
    })
    await cluster.advance(1_000)
    expect(isThere(cluster)).toBe(true)
  })

  /*
   * SAFETY: a group with a pod at work is there.
   * LIVENESS: once its last pod has ended or is gone, it goes.
   */
  it('goes with its last pod, in whatever order they end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('end', 'remove'), { minLength: 1, maxLength: 6 }), async ends => {
        await using cluster = testCluster([podGroupProtectionController])
        ends.forEach((_, index) => {
          pod(cluster, `p${index}`, 'Running')
        })
        group(cluster, true)
        for (const [index, how] of ends.entries()) {
          await cluster.advance(1_000)
          expect(isThere(cluster)).toBe(true)
          if (how === 'remove') cluster.api.remove(Pod, `p${index}`)
          else
            cluster.api.change(Pod, `p${index}`, next => {
              next.status.phase = 'Succeeded'
            })
        }
        await cluster.advance(1_000)
        expect(isThere(cluster)).toBe(false)
      }),
      { numRuns: 30 },
    )
  })
})
