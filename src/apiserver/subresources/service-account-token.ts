import { TokenRequest } from '#kinds/authentication/v1/token-request.ts'
import { answerTokenRequest, type TokenRequestOptions } from '../authentication/token-request.ts'
import { objectFrom } from '../registry/body.ts'
import { timestamp } from '../registry/core.ts'
import { admitBody } from './admit-body.ts'
import type { SubresourceHandler } from './subresource.ts'

/** `serviceaccounts/token`: a token for the account, as kubelets and `kubectl create token` ask for it. Nothing is stored. */
export function serviceAccountToken(options: TokenRequestOptions): SubresourceHandler {
  return {
    group: '',
    resource: 'serviceaccounts',
    name: 'token',
    async create(core, call) {
      const { namespace, name } = call.target
      const request = { ...call, kind: TokenRequest, namespace, name, subresource: '' }
      const object = objectFrom({ value: call.body }, request, core.kinds) as TokenRequest
      await admitBody(core, call, 'token', object)
      const answer = await answerTokenRequest(options, namespace, name, object)
      const metadata = { ...answer.metadata, uid: core.random.uuid(), creationTimestamp: timestamp(core.clock.now()) }
      return { object: { ...answer, metadata }, code: 201 }
    },
  }
}
