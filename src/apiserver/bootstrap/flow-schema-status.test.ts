import { describe, expect, it } from 'vitest'
import { danglingCondition } from './flow-schema-status.ts'

describe('the Dangling condition of a flow schema', () => {
  const now = Date.parse('2026-01-01T00:00:00Z')
  const found = danglingCondition('global-default', true, undefined, now)!

  it('says that the priority level exists', () => {
    expect(found).toEqual({
      type: 'Dangling',
      status: 'False',
      lastTransitionTime: '2026-01-01T00:00:00Z',
      reason: 'Found',
      message: 'This FlowSchema references the PriorityLevelConfiguration object named "global-default" and it exists',
    })
  })

  it('is not written again while it holds', () => {
    expect(danglingCondition('global-default', true, [found], now + 60_000)).toBeUndefined()
  })

  it('turns when the level is gone', () => {
    expect(danglingCondition('global-default', false, [found], now + 60_000)).toMatchObject({
      status: 'True',
      reason: 'NotFound',
      lastTransitionTime: '2026-01-01T00:01:00Z',
    })
  })

  it('keeps its time when only another level is named', () => {
    expect(danglingCondition('catch-all', true, [found], now + 60_000)).toMatchObject({ lastTransitionTime: '2026-01-01T00:00:00Z' })
  })
})
