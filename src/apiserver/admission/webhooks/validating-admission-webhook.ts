import type { Informers } from '#client/informers/informer.ts'
import { ValidatingWebhookConfiguration } from '#kinds/admissionregistration/v1/validating-webhook-configuration.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { Authorizer } from '../../authorization/authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts'
import { isAdmissionConfiguration } from '../match-resources.ts'
import { type Asking, askWebhook, type Question } from './ask-webhook.ts'
import { type Hook, hooksOf } from './hooks.ts'
import { matchedWebhook } from './matched-webhook.ts'

/** Asks the webhooks of ValidatingWebhookConfigurations, all at once, whether what will be stored may be. */
export function validatingAdmissionWebhook(
  asking: Asking,
  informers: () => Informers,
  kinds: () => KindRegistry,
  authorizer: Authorizer,
): AdmissionPlugin {
  const hooks = hooksOf(ValidatingWebhookConfiguration, informers)
  return {
    name: 'ValidatingAdmissionWebhook',
    validate(request) {
      const all = hooks()
      if (all.length === 0 || isAdmissionConfiguration(request)) return
      return askAll(asking, all, request, { kinds: kinds(), informers: informers(), authorizer })
    },
  }
}

async function askAll(
  asking: Asking,
  hooks: readonly Hook[],
  request: AdmissionRequest,
  facts: { readonly kinds: KindRegistry; readonly informers: Informers; readonly authorizer: Authorizer },
): Promise<void> {
  const matching: (Question & { readonly index: number })[] = []
  for (const [index, hook] of hooks.entries()) {
    const matched = await matchedWebhook(asking, { type: 'validating', hook, request }, facts)
    if (matched) matching.push({ type: 'validating', hook, index, request, ...matched })
  }
  const answers = await Promise.allSettled(
    matching.map(async question => {
      const isAsked = await askWebhook(asking, question, () => true)
      if (isAsked) return
      request.annotate?.(`failed-open.validating.webhook.admission.k8s.io/round_0_index_${question.index}`, question.hook.webhook.name)
    }),
  )
  for (const answer of answers) if (answer.status === 'rejected') throw answer.reason
}
