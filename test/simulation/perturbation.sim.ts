import { describe, expect, it } from 'vitest'
import { PERTURBATIONS, tell } from '#controllers/perturbation.fixture.ts'
import { stories } from '#controllers/perturbation-stories.fixture.ts'

/* Every write of every controller is disturbed in every way, one at a time: the end is always the same. */

describe.each(stories)('$name', story => {
  it.each(PERTURBATIONS)(
    'ends the same whichever write is disturbed: %s',
    async what => {
      const expected = await tell(story)
      const different: unknown[] = []
      for (let at = 0; at < expected.writes; at++) {
        const { summary } = await tell(story, { at, what })
        try {
          expect(summary).toEqual(expected.summary)
        } catch (error) {
          different.push({ at, why: (error as Error).message })
        }
      }
      expect(different).toEqual([])
    },
    300_000,
  )
})
