import type { ReviewTarget } from '#apiserver/webhooks/review-webhook.ts'
import type { Clock } from '#base/time/clock.ts'
import { clientOptionsFromFile } from '#client/kubeconfig/client-options.ts'
import { KubeconfigError } from '#client/kubeconfig/kubeconfig.ts'
import { SetupError } from '../setup-error.ts'

/** The webhook that a flag names by a kubeconfig: the server of its current context, and how to prove oneself to it. Undefined for no file. */
export function reviewTarget(flag: string, file: string, clock: Clock): ReviewTarget | undefined {
  if (file === '') return undefined
  try {
    const target = clientOptionsFromFile(file, clock)
    if (!target.server.startsWith('https://')) {
      throw new SetupError(`${flag}: the server ${target.server} of ${file} is not called by HTTPS`, 'name it as https://…')
    }
    return target
  } catch (error) {
    if (error instanceof KubeconfigError) throw new SetupError(`${flag}: ${file} cannot be used`, error.message)
    throw error
  }
}
