import { describe, expect, it } from 'vitest'
import type { Informers } from '#client/informers/informer.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { decodeObject } from '../registry/body.ts'
import type { AdmissionPlugin } from './admission.ts'
import { nodeDeclaredFeatureValidator } from './node-declared-feature-validator.ts'
import { podResizeValidator } from './pod-resize-validator.ts'

const linux = { 'kubernetes.io/os': 'linux' }
const allocatable = { cpu: '2', memory: '1Gi' }
const nodes: Record<string, object> = {
  plain: { metadata: { labels: linux }, status: { allocatable } },
  able: {
    metadata: { labels: linux },
    status: { allocatable, declaredFeatures: ['GuaranteedQoSPodCPUResize', 'InPlacePodLevelResourcesVerticalScaling'] },
  },
  windows: { metadata: { labels: { 'kubernetes.io/os': 'windows' } }, status: { allocatable } },
}
const informers = () => ({ of: () => ({ get: (_: string, name: string) => nodes[name] }) }) as unknown as Informers

const pod = (cpu: string, more: { node?: string; memory?: string; qosClass?: string; resources?: object } = {}) =>
  decodeObject(Pod, {
    metadata: { name: 'p' },
    spec: {
      nodeName: more.node ?? 'plain',
      containers: [{ name: 'c', image: 'i', resources: { requests: { cpu, memory: more.memory ?? '1Mi' } } }],
      resources: more.resources,
    },
    status: { qosClass: more.qosClass ?? 'Burstable' },
  }) as Mutable<ApiObject>

/** Why the plugin refuses a change of a pod. */
function refusalOf(plugin: AdmissionPlugin, old: Mutable<ApiObject>, object: Mutable<ApiObject>, subresource = 'resize') {
  const user = { name: 'alice', groups: [] }
  const request = { operation: 'UPDATE', kind: Pod, subresource, namespace: 'a', name: 'p', object, old, user, dryRun: false } as const
  try {
    void plugin.validate!({ ...request, warn: () => undefined })
    return undefined
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    expect(error).toMatchObject({ code: 403, reason: 'Forbidden' })
    return error
  }
}

describe('a pod that runs', () => {
  const features = (old: Mutable<ApiObject>, next: Mutable<ApiObject>, subresource?: string) =>
    refusalOf(nodeDeclaredFeatureValidator(informers), old, next, subresource)?.message
  const guaranteed = (cpu: string, node?: string) => pod(cpu, { qosClass: 'Guaranteed', ...(node === undefined ? {} : { node }) })

  it.each([
    ['guaranteed cpu', guaranteed, 'GuaranteedQoSPodCPUResize'],
    [
      'resources of the whole pod',
      (cpu: string, node = 'plain') => pod('1', { node, resources: { requests: { cpu } } }),
      'InPlacePodLevelResourcesVerticalScaling',
    ],
  ])('changes %s only where the kubelet declares that it can', (_what, of, feature) => {
    expect(features(of('1'), of('2'))).toBe(
      `pods "p" is forbidden: pod update requires features ${feature} which are not available on node "plain"`,
    )
    expect(features(of('1', 'able'), of('2', 'able'))).toBeUndefined()
    expect(features(of('1', 'none'), of('2', 'none'))).toBe('pods "p" is forbidden: node "none" not found')
    expect(features(of('1', ''), of('2', ''))).toBeUndefined()
    expect(features(of('1000m'), of('1'))).toBeUndefined()
    expect(features(of('1'), of('2'), 'status')).toBeUndefined()
  })

  it('changes other cpu anywhere', () => {
    expect(features(pod('1'), pod('2'))).toBeUndefined()
  })
})

describe('a resize', () => {
  const refusal = (old: Mutable<ApiObject>, next: Mutable<ApiObject>) => refusalOf(podResizeValidator(informers), old, next)

  it('is refused beyond what the node has in all', () => {
    const refused = refusal(pod('1'), pod('2500m', { memory: '2Gi' }))
    expect(refused?.message).toBe(
      'pods "p" is forbidden: Node didn\'t have enough allocatable resources: cpu, requested: 2500, allocatable: 2000; ' +
        'memory, requested: 2147483648, allocatable: 1073741824',
    )
    expect(refused?.details).toMatchObject({ kind: 'pods', name: 'p', causes: [{ reason: 'NodeCapacity' }] })
    expect(refusal(pod('1'), pod('2'))).toBeUndefined()
    expect(refusal(pod('1', { node: '' }), pod('3', { node: '' }))).toBeUndefined()
  })

  it('is refused where the node does not run Linux, or is gone', () => {
    const refused = refusal(pod('1', { node: 'windows' }), pod('2', { node: 'windows' }))
    expect(refused?.message).toBe('pods "p" is forbidden: pod resize is only supported on linux nodes, node "windows" is "windows"')
    expect(refused?.details).toMatchObject({ causes: [{ reason: 'UnsupportedPlatform' }] })
    expect(refusal(pod('1', { node: 'none' }), pod('2', { node: 'none' }))?.message).toContain('node "none" not found')
  })
})
