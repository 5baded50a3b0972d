import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { defaulted, int32, list, listMap, message, needed, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { FailurePolicyType } from './failure-policy-type.ts'
import { MatchCondition } from './match-condition.ts'
import { MatchPolicyType } from './match-policy-type.ts'
import { RuleWithOperations } from './rule-with-operations.ts'
import { SideEffectClass } from './side-effect-class.ts'
import { validateWebhooks } from './webhook.rules.ts'
import { WebhookClientConfig } from './webhook-client-config.ts'

export const ValidatingWebhook = message('io.k8s.api.admissionregistration.v1.ValidatingWebhook', {
  name: required(1, string, 'The name of the webhook, a domain name.'),
  clientConfig: required(2, WebhookClientConfig, 'How the webhook is reached.'),
  rules: omitempty(3, list(RuleWithOperations), 'Which requests are sent.'),
  failurePolicy: defaulted(4, FailurePolicyType, 'Fail', 'What happens when nobody answers.'),
  matchPolicy: defaulted(9, MatchPolicyType, 'Equivalent', 'Whether other versions of the same resource match as well.'),
  namespaceSelector: defaulted(5, LabelSelector, {}, 'Which namespaces are meant, by their labels.'),
  objectSelector: defaulted(10, LabelSelector, {}, 'Which objects are meant, by their labels.'),
  sideEffects: needed(6, SideEffectClass, 'What else the webhook does.'),
  timeoutSeconds: defaulted(7, int32, 10, 'How many seconds to wait for an answer.'),
  admissionReviewVersions: required(8, list(string), 'Versions of the review that the webhook understands, best first.'),
  matchConditions: omitempty(
    11,
    listMap(MatchCondition, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
    'Expressions that must all be true for a request to be sent.',
  ),
})
export interface ValidatingWebhook extends StoredOf<typeof ValidatingWebhook> {}

const fields = {
  webhooks: omitempty(2, listMap(ValidatingWebhook, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }), 'The webhooks.'),
}

export interface ValidatingWebhookConfiguration extends ObjectOfFields<typeof fields> {}

export const ValidatingWebhookConfiguration = defineKind({
  documentation: 'Webhooks that may refuse requests.',
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
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
