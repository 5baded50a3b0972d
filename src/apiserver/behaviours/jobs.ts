import type { Behaviour } from '../registry/behaviour.ts'

const ORPHANS =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

/** Deleting a job leaves its pods, which surprises people. */
export const jobs: Behaviour = {
  group: 'batch',
  resource: 'jobs',
  deleteWarnings: ({ propagationPolicy }) => (propagationPolicy === undefined ? [ORPHANS] : []),
}
