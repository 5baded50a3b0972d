import { describe, expect, it } from 'vitest'
import { ComponentHealth } from './component-health.ts'

const state: { lead: string | undefined; caches: string | undefined } = { lead: undefined, caches: 'not yet' }
const health = new ComponentHealth(
  [{ name: 'leaderElection', check: () => state.lead }],
  [{ name: 'caches/all', check: () => state.caches }],
)
const ask = (path: string) => health.answer(new URL(path, 'https://localhost'))

describe('the health of a component', () => {
  it('is one word while all is well, and a line for each check when asked for', async () => {
    expect(await ask('/healthz')).toEqual([200, 'ok'])
    expect(await ask('/livez?verbose')).toEqual([200, '[+]ping ok\n[+]leaderElection ok\nlivez check passed\n'])
  })

  it('is readiness only with what must be besides', async () => {
    expect(await ask('/readyz')).toEqual([500, expect.stringContaining('[-]caches/all failed: reason withheld')])
    expect(await ask('/readyz?exclude=caches/all')).toEqual([200, 'ok'])
    state.caches = undefined
    expect(await ask('/readyz')).toEqual([200, 'ok'])
  })

  it('answers for single checks, and knows no others', async () => {
    expect(await ask('/readyz/caches/all')).toEqual([200, 'ok'])
    expect(await ask('/healthz/caches/all')).toBeUndefined()
    expect(await ask('/health')).toBeUndefined()
  })

  it('counts what its checks found', async () => {
    state.lead = 'lost'
    expect((await ask('/healthz'))![0]).toBe(500)
    const [status, text] = (await ask('/metrics/slis'))!
    expect(status).toBe(200)
    expect(text).toContain('kubernetes_healthcheck{name="leaderElection",type="healthz"} 0')
    expect(text).toContain('kubernetes_healthchecks_total{name="leaderElection",status="error",type="healthz"} 1')
    expect(text).toContain('kubernetes_healthcheck{name="ping",type="healthz"} 1')
  })
})
