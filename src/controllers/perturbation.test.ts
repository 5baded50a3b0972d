import { describe, expect, it } from 'vitest'
import { controllers } from './controllers.ts'
import { PERTURBATIONS, tell } from './perturbation.fixture.ts'
import { stories } from './perturbation-stories.fixture.ts'

/** Every so manieth write is disturbed here, each perturbation another; test/simulation/perturbation.sim.ts disturbs all. */
const STRIDE = 12

/** They say what they have to say in events. */
const WRITES_NOTHING = ['persistentvolume-expander-controller', 'selinux-warning-controller']

describe.each(stories)('$name', story => {
  const undisturbed = tell(story)

  it.each(PERTURBATIONS)(
    'ends the same when it is disturbed right after a write: %s',
    async what => {
      const expected = await undisturbed
      expect(expected.writes).toBeGreaterThan(5)
      for (let at = 2 * PERTURBATIONS.indexOf(what); at < expected.writes; at += STRIDE) {
        const { summary } = await tell(story, { at, what })
        expect({ at, summary }).toEqual({ at, summary: expected.summary })
      }
    },
    60_000,
  )
})

describe('the stories', () => {
  it('have something to write for every controller', async () => {
    const endings = await Promise.all(stories.map(story => tell(story)))
    const writers = new Set(endings.flatMap(ending => [...ending.writers]))
    expect(controllers.map(({ name }) => name).filter(name => !writers.has(name))).toEqual(WRITES_NOTHING)
  }, 60_000)

  it('end as they should', async () => {
    const [workloads, scaling, nodes, storage, claims, access, optional] = await Promise.all(
      stories.map(async story => (await tell(story)).summary),
    )
    expect(workloads).toMatchObject({
      namespaces: [],
      daemons: [],
      jobs: ['[{"succeeded":2,"terminating":0,"ready":0},["SuccessCriteriaMet","Complete"]]'],
      endpoints: ['[3]'],
      slices: ['3'],
    })
    expect(scaling).toMatchObject({
      cron: ['["2026-01-01T00:01:00Z",true,null]'],
      jobs: [],
      controllers: [expect.stringContaining('"replicas":2')],
    })
    expect((scaling as { deployments: string[] }).deployments[0]).toMatch(/^\[3,/)
    expect((nodes as { nodes: string[]; ranges: number }).ranges).toBe(2)
    expect((nodes as { pods: string[] }).pods).toHaveLength(1)
    expect(storage).toEqual({ attachments: [], node: [], claims: [], volumes: [], classes: [] })
    expect(claims).toEqual({ pods: [], claims: ['["shared",null,{}]'] })
    expect(access).toMatchObject({ requests: [], ranges: [] })
    expect(optional).toEqual({
      migrations: ['["first",[["Succeeded","True"]]]', '["second",[["Succeeded","True"]]]'],
      versions: [],
      bundles: [expect.stringMatching(/^"kubernetes.io:kube-apiserver-serving:[0-9a-f]{24}"$/)],
      requests: [],
      answers: [],
      groups: [],
      pods: ['"pod-c1"', '"pod-c2"'],
      rules: ['[["EvictionInProgress","False"]]'],
    })
  }, 60_000)
})
