import { describe, expect, it } from 'vitest'
import { HorizontalPodAutoscaler as OldAutoscaler } from './autoscaling/v1/horizontal-pod-autoscaler.ts'
import { HorizontalPodAutoscaler } from './autoscaling/v2/horizontal-pod-autoscaler.ts'
import { Event as CoreEvent } from './core/v1/event.ts'
import { Event } from './events/v1/event.ts'
import { stored } from './stored.fixture.ts'

describe('events of the events group', () => {
  const shown = stored(Event, {
    metadata: { name: 'e', namespace: 'ns' },
    eventTime: '2020-01-01T00:00:00.500000Z',
    reportingController: 'a.b/c',
    reportingInstance: 'i',
    action: 'A',
    reason: 'R',
    type: 'Normal',
    note: 'n',
    regarding: { kind: 'Pod', name: 'p', namespace: 'ns' },
    series: { count: 3, lastObservedTime: '2020-01-01T00:01:00.000000Z' },
  })

  it('are stored as core events', () => {
    const up = Event.view!.up(shown as never)
    expect(up).toMatchObject({
      involvedObject: { kind: 'Pod', name: 'p' },
      message: 'n',
      source: {},
      firstTimestamp: null,
      reportingComponent: 'a.b/c',
    })
    expect(Event.view!.of).toBe(CoreEvent)
  })

  it('come back as they were', () => {
    expect(Event.view!.down(Event.view!.up(shown as never))).toEqual(shown)
  })
})

describe('autoscalers of version 1', () => {
  const spec = { scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' }, maxReplicas: 3 }
  const metadata = { name: 'h', namespace: 'ns' }
  const status = { desiredReplicas: 0 }
  const behavior = { scaleDown: { stabilizationWindowSeconds: 10 } }
  const metrics = [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } } },
    { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } },
    {
      type: 'External',
      external: { metric: { name: 'm', selector: { matchLabels: { a: 'b' } } }, target: { type: 'AverageValue', averageValue: '5' } },
    },
  ] as const

  it('take a share of the cpu as a metric', () => {
    const up = OldAutoscaler.view!.up(stored(OldAutoscaler, { metadata, spec: { ...spec, targetCPUUtilizationPercentage: 50 } }) as never)
    expect(up).toMatchObject({
      spec: { metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }] },
      status: { currentMetrics: null },
    })
  })

  it('aim at 80 % where nothing is said', () => {
    expect(OldAutoscaler.view!.up(stored(OldAutoscaler, { metadata, spec }) as never)).toMatchObject({
      spec: { metrics: [{ resource: { target: { averageUtilization: 80 } } }] },
    })
  })

  it('carry in annotations what they have no fields for', () => {
    const v2 = stored(HorizontalPodAutoscaler, { metadata, spec: { ...spec, metrics, behavior }, status })
    const down = OldAutoscaler.view!.down(v2 as never)
    expect(down).toMatchObject({
      metadata: {
        annotations: {
          'autoscaling.alpha.kubernetes.io/metrics':
            '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}},{"type":"External","external":{"metricName":"m","metricSelector":{"matchLabels":{"a":"b"}},"targetAverageValue":"5"}}]',
        },
      },
      spec: { targetCPUUtilizationPercentage: 60 },
      status: { currentReplicas: 0 },
    })
    const { metrics: _, ...rest } = v2.spec
    const again = OldAutoscaler.view!.up(down) as unknown as typeof v2
    expect(again).toMatchObject({ metadata: v2.metadata, spec: rest })
    expect(again.metadata.annotations).toBeUndefined()
    expect(again.spec.metrics).toEqual([v2.spec.metrics![1], v2.spec.metrics![2], v2.spec.metrics![0]])
  })
})
