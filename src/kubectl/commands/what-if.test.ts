import { expect, it } from 'vitest'
import { suppositionOf } from './what-if.ts'

it('flags suppose what they say', () => {
  expect(
    suppositionOf(
      {
        moreNodes: '2',
        like: 'node-1',
        withoutTaint: ['dedicated', 'node-2:zone'],
        label: ['node-1:disk=ssd'],
        withoutPod: ['web', 'other/db'],
        requests: 'cpu=100m,memory=64Mi',
      },
      'default',
    ),
  ).toEqual({
    moreNodes: { like: 'node-1', count: 2 },
    withoutTaints: [{ key: 'dedicated' }, { node: 'node-2', key: 'zone' }],
    labels: [{ node: 'node-1', key: 'disk', value: 'ssd' }],
    withoutPods: ['default/web', 'other/db'],
    requests: { cpu: '100m', memory: '64Mi' },
  })
})

it.each([
  [{ moreNodes: '2' }, '--more-nodes and --like belong together'],
  [{ moreNodes: 'two', like: 'a' }, '--more-nodes takes a number'],
  [{ label: ['disk=ssd'] }, '--label takes NODE:KEY=VALUE'],
  [{ requests: 'cpu' }, '--requests takes RESOURCE=QUANTITY'],
])('%j makes no sense', (flags, message) => {
  expect(() => suppositionOf(flags, 'default')).toThrow(message)
})
