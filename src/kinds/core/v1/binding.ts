import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { required } from '#machinery/schema/schema.ts'
import { ObjectReference } from './object-reference.ts'

const fields = {
  target: required(2, ObjectReference, 'What the object is bound to: the node of a pod.'),
}

export interface Binding extends ObjectOfFields<typeof fields> {}

export const Binding = defineKind({
  documentation: 'Puts a pod on a node.',
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  verbs: ['create'],
  fields,
  validate({ target }, errors) {
    if (target.kind && target.kind !== 'Node') errors.at('target').at('kind').notSupported(target.kind, ['Node', '<empty>'])
    if (!target.name) errors.at('target').at('name').required()
  },
})
