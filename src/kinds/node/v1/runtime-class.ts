import { equal } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { isDNS1123Label } from '#machinery/meta/names.ts'
import { validateLabels } from '#machinery/meta/validate-object-meta.ts'
import { atomicMap, list, map, message, omitempty, optional, quantity, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { validateContainerResources } from '../../core/v1/resource-requirements.rules.ts'
import { validateTolerations } from '../../core/v1/toleration.rules.ts'
import { Toleration } from '../../core/v1/toleration.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'

export const Overhead = message('io.k8s.api.node.v1.Overhead', {
  podFixed: omitempty(1, map(quantity), 'What every pod needs.'),
})
export interface Overhead extends StoredOf<typeof Overhead> {}

export const Scheduling = message('io.k8s.api.node.v1.Scheduling', {
  nodeSelector: omitempty(1, atomicMap(string), 'Labels that the node must have.'),
  tolerations: omitempty(2, list(Toleration), 'Taints that do not keep the pods away.'),
})
export interface Scheduling extends StoredOf<typeof Scheduling> {}

const fields = {
  handler: required(2, string, 'The configuration of the runtime.'),
  overhead: optional(3, Overhead, 'What a pod needs beside its containers.'),
  scheduling: optional(4, Scheduling, 'Which nodes have it.'),
}

export interface RuntimeClass extends ObjectOfFields<typeof fields> {}

export const RuntimeClass = defineKind({
  documentation: 'A way of running containers.',
  group: 'node.k8s.io',
  version: 'v1',
  kind: 'RuntimeClass',
  plural: 'runtimeclasses',
  scope: 'Cluster',
  openapi: 'io.k8s.api.node.v1',
  unconditionalUpdate: false,
  fields,
  columns: [nameColumn, { name: 'Handler', of: ({ handler }) => handler }, ageColumn],
  validate({ handler, overhead, scheduling }, errors) {
    if (handler === '') errors.at('handler').required()
    else errors.at('handler').invalidEach(handler, isDNS1123Label(handler))
    if (overhead) validateContainerResources({ limits: overhead.podFixed }, new Set(), errors.at('overhead'))
    if (!scheduling) return
    const at = errors.at('scheduling')
    validateLabels(scheduling.nodeSelector, at.at('nodeSelector'))
    const { tolerations = [] } = scheduling
    validateTolerations(tolerations, at.at('tolerations'))
    tolerations.forEach((toleration, index) => {
      if (tolerations.findIndex(other => equal(other, toleration)) < index) {
        const { key = '', operator = '', value = '', effect = '', tolerationSeconds = null } = toleration
        at.at('tolerations')
          .index(index)
          .duplicate({ Key: key, Operator: operator, Value: value, Effect: effect, TolerationSeconds: tolerationSeconds })
      }
    })
  },
  validateUpdate: ({ handler }, old, errors) => validateImmutable(handler, old.handler, errors.at('handler')),
})
