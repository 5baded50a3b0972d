import { expect, it } from 'vitest'
import { controllers } from '#controllers/controllers.ts'
import { queueNameOf } from './queue-names.ts'

it('upstream’s names are those of controllers that there are', () => {
  const names = controllers.map(({ name }) => name)
  const named = names.filter(name => queueNameOf(name) !== name)
  expect(named).toEqual(
    expect.arrayContaining(['deployment-controller', 'replicaset-controller', 'job-controller', 'endpointslice-controller']),
  )
  expect(named.length).toBe(29)
})
