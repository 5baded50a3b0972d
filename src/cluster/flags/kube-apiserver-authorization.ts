import type { Clock } from '#base/time/clock.ts'
import type { AssemblyOptions } from '../components/assembled-api-server.ts'
import { SetupError } from '../setup-error.ts'
import type { FlagValues } from './flag-set.ts'
import type { kubeApiserver } from './kube-apiserver.ts'
import { reviewTarget } from './review-target.ts'

type Flags = FlagValues<typeof kubeApiserver.sections>

/** Who decides in the authorization mode Webhook, as the flags of kube-apiserver say. Throws a SetupError that names the flag. */
export function authorizationWebhook(flags: Flags, clock: Clock): AssemblyOptions['authorizationWebhook'] {
  const target = reviewTarget('--authorization-webhook-config-file', flags['authorization-webhook-config-file'], clock)
  const isAsked = flags['authorization-mode'].includes('Webhook')
  if (isAsked && !target) {
    throw new SetupError(
      '--authorization-mode=Webhook does not know whom to ask',
      'name a kubeconfig with --authorization-webhook-config-file=FILE',
    )
  }
  if (!isAsked && target) {
    throw new SetupError('--authorization-webhook-config-file is of no use', 'add Webhook to --authorization-mode, or leave the flag out')
  }
  return (
    target && {
      target,
      version: flags['authorization-webhook-version'] as 'v1' | 'v1beta1',
      authorizedMs: flags['authorization-webhook-cache-authorized-ttl'],
      unauthorizedMs: flags['authorization-webhook-cache-unauthorized-ttl'],
    }
  )
}
