import { describe, expect, it } from 'vitest'
import { LimitRangeItem } from '#kinds/core/v1/limit-range.ts'
import { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { Pod } from '#kinds/core/v1/pod.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { decode } from '#machinery/schema/decode.ts'
import { decodeObject } from '../registry/body.ts'
import { setDefaultResources } from './limit-ranger.defaults.ts'
import { claimExcesses, podExcesses } from './limit-ranger.rules.ts'

const item = (fields: object) => decode<LimitRangeItem>(LimitRangeItem, { type: 'Container', ...fields }, { defaults: true, unknown: [] })
const pod = (...resources: object[]) =>
  decodeObject(Pod, {
    metadata: { name: 'p' },
    spec: { containers: resources.map((each, index) => ({ name: `c${index}`, image: 'i', resources: each })) },
  }) as Mutable<Pod>

describe('defaults of a limit range', () => {
  it('fill in what a container does not say, and are noted', () => {
    const made = pod({}, { requests: { cpu: '50m' } })
    setDefaultResources(made, [item({ default: { cpu: '500m' }, defaultRequest: { cpu: '100m' } })])
    expect(made.spec.containers.map(({ resources }) => resources)).toEqual([
      { requests: { cpu: '100m' }, limits: { cpu: '500m' } },
      { requests: { cpu: '50m' }, limits: { cpu: '500m' } },
    ])
    expect(made.metadata.annotations).toEqual({
      'kubernetes.io/limit-ranger':
        'LimitRanger plugin set: cpu request for container c0; cpu limit for container c0; cpu limit for container c1',
    })
  })

  it('leave a pod that says everything as it is', () => {
    const made = pod({ limits: { cpu: '1' } })
    setDefaultResources(made, [item({ default: { cpu: '500m' } })])
    expect(made.metadata.annotations).toBeUndefined()
  })
})

describe('bounds of a limit range', () => {
  it.each([
    [{ max: { cpu: '1' } }, { limits: { cpu: '2' } }, ['maximum cpu usage per Container is 1, but limit is 2']],
    [{ max: { cpu: '1' } }, {}, ['maximum cpu usage per Container is 1.  No limit is specified']],
    [{ min: { cpu: '100m' } }, { requests: { cpu: '50m' } }, ['minimum cpu usage per Container is 100m, but request is 50m']],
    [{ min: { cpu: '100m' } }, { requests: { cpu: '100m' } }, []],
    [
      { maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '100m' }, limits: { cpu: '500m' } },
      ['cpu max limit to request ratio per Container is 2, but provided ratio is 5.000000'],
    ],
  ])('%j of %j', (bounds, resources, said) => {
    expect(podExcesses(pod(resources), [item(bounds)])).toEqual(said)
  })

  it('are of all containers together where they are of the pod', () => {
    const both = { limits: { cpu: '800m' } }
    expect(podExcesses(pod(both, both), [item({ type: 'Pod', max: { cpu: '1' } })])).toEqual([
      'maximum cpu usage per Pod is 1, but limit is 1600m',
    ])
  })

  it('measure a claim by what it asks for', () => {
    const claim = decodeObject(PersistentVolumeClaim, { spec: { resources: { requests: { storage: '5Gi' } } } }) as PersistentVolumeClaim
    expect(claimExcesses(claim, [item({ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } })])).toEqual([
      'maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 5Gi',
    ])
  })
})
