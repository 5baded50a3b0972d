import { expect, it } from 'vitest'
import { TokenReview } from '#kinds/authentication/v1/token-review.ts'
import { SubjectAccessReview } from '#kinds/authorization/v1/subject-access-review.ts'
import { alwaysAllow } from '../authorization/always.ts'
import { decodeObject } from '../registry/body.ts'
import { accessReviews } from './access-reviews.ts'
import { identityReviews } from './identity-reviews.ts'

const caller = { user: { name: 'admin', groups: [] } }

it('a review of access is about a resource or a path, not about both', async () => {
  const review = accessReviews(alwaysAllow).find(({ resource }) => resource === 'subjectaccessreviews')!
  const nonResourceAttributes = { path: '/healthz', verb: 'get' }
  const ask = (spec: object) => review.answer(decodeObject(SubjectAccessReview, { spec: { user: 'alice', ...spec } }), caller)
  expect(await ask({ nonResourceAttributes })).toMatchObject({ allowed: true })
  await expect(ask({ nonResourceAttributes, resourceAttributes: { verb: 'get', resource: 'pods' } })).rejects.toThrow(
    'spec.nonResourceAttributes: Invalid value: {"Path":"/healthz","Verb":"get"}: cannot be specified in combination with resourceAttributes',
  )
})

it('a review of a good token names the group of all that are known', async () => {
  const found = { user: { name: 'alice', groups: ['devs'] } }
  const [review] = identityReviews(async () => found, ['api']).filter(({ resource }) => resource === 'tokenreviews')
  const answer = await review!.answer(decodeObject(TokenReview, { spec: { token: 't' } }), caller)
  expect(answer).toMatchObject({ authenticated: true, user: { username: 'alice', groups: ['devs', 'system:authenticated'] } })
})
