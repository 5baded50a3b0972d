import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { defaulted, int32, list, listMap, message, needed, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { FailurePolicyType } from './failure-policy-type.ts'
import { MatchCondition } from './match-condition.ts'
import { MatchPolicyType } from './match-policy-type.ts'
import { ReinvocationPolicyType } from './reinvocation-policy-type.ts'
import { RuleWithOperations } from './rule-with-operations.ts'
import { SideEffectClass } from './side-effect-class.ts'
import { validateWebhooks } from './webhook.rules.ts'
import { WebhookClientConfig } from './webhook-client-config.ts'

export const MutatingWebhook = message('io.k8s.api.admissionregistration.v1.MutatingWebhook', {
  name: required(1, string, 'The name of the webhook, a domain name.'),
  clientConfig: required(2, WebhookClientConfig, 'How the webhook is reached.'),
  rules: omitempty(3, list(RuleWithOperations), 'Which requests are sent.'),
  failurePolicy: defaulted(4, FailurePolicyType, 'Fail', 'What happens when nobody answers.'),
  matchPolicy: defaulted(9, MatchPolicyType, 'Equivalent', 'Whether other versions of the same resource match as well.'),
  namespaceSelector: defaulted(5, LabelSelector, {}, 'Which namespaces are meant, by their labels.'),
  objectSelector: defaulted(11, LabelSelector, {}, 'Which objects are meant, by their labels.'),
  sideEffects: needed(6, SideEffectClass, 'What else the webhook does.'),
  timeoutSeconds: defaulted(7, int32, 10, 'How many seconds to wait for an answer.'),
  admissionReviewVersions: required(8, list(string), 'Versions of the review that the webhook understands, best first.'),
  reinvocationPolicy: defaulted(10, ReinvocationPolicyType, 'Never', 'Whether it is asked again after others changed the object.'),
  matchConditions: omitempty(
    12,
    listMap(MatchCondition, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
    'Expressions that must all be true for a request to be sent.',
  ),
})
export interface MutatingWebhook extends StoredOf<typeof MutatingWebhook> {}

const fields = {
  webhooks: omitempty(2, listMap(MutatingWebhook, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }), 'The webhooks.'),
}

export interface MutatingWebhookConfiguration extends ObjectOfFields<typeof fields> {}

export const MutatingWebhookConfiguration = defineKind({
  documentation: 'Webhooks that may change requests.',
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  scope: 'Cluster',
  openapi: 'io.k8s.api.admissionregistration.v1',
  categories: ['api-extensions'],
  unconditionalUpdate: false,
  generation: true,
  fields,
  columns: [
    nameColumn,
    {
      name: 'Webhooks',
      description: 'Webhooks indicates the number of webhooks registered in this configuration',
      type: 'integer',
      of: ({ webhooks }) => webhooks?.length ?? 0,
    },
    ageColumn,
  ],
  validate: ({ webhooks }, errors) => validateWebhooks(webhooks, errors.at('webhooks')),
})
