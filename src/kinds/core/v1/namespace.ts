import { draft } from '#machinery/kind/draft.ts'
import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { isQualifiedName, nameIsDNSLabel } from '#machinery/meta/names.ts'
import { defaulted, embedded, list, listMap, message, omitempty, oneOf, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'
import { ConditionStatus } from '../../meta/v1/condition-status.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { validatePodSecurityLabels } from './namespace.rules.ts'

export const NamespaceSpec = message('io.k8s.api.core.v1.NamespaceSpec', {
  finalizers: omitempty(1, list(string), 'Who has to agree before the namespace goes away.'),
})
export interface NamespaceSpec extends StoredOf<typeof NamespaceSpec> {}

export const NamespaceCondition = message('io.k8s.api.core.v1.NamespaceCondition', {
  type: required(1, string, 'What this is about.'),
  status: required(2, ConditionStatus, 'Whether it holds.'),
  lastTransitionTime: embedded(4, timeOrNull, 'When the status last changed.'),
  reason: omitempty(5, string, 'What happened, in one word.'),
  message: omitempty(6, string, 'What happened, for people.'),
})
export interface NamespaceCondition extends StoredOf<typeof NamespaceCondition> {}

export const NamespaceStatus = message('io.k8s.api.core.v1.NamespaceStatus', {
  phase: defaulted(1, oneOf('Active', 'Terminating'), 'Active', 'Whether the namespace is in use or being emptied.', 'value'),
  conditions: omitempty(
    2,
    listMap(NamespaceCondition, ['type'], { patchStrategy: 'merge', patchMergeKey: 'type' }),
    'What holds of the object right now, one entry per aspect.',
  ),
})
export interface NamespaceStatus extends StoredOf<typeof NamespaceStatus> {}

export interface Namespace extends ObjectWith<{ spec: NamespaceSpec; status: NamespaceStatus }> {}

export const Namespace = defineKind({
  documentation: 'A part of the cluster with names of its own.',
  group: '',
  version: 'v1',
  kind: 'Namespace',
  plural: 'namespaces',
  scope: 'Cluster',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['ns'],
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  subresources: [{ name: 'finalize', verbs: ['update'] }, statusSubresource],
  spec: NamespaceSpec,
  status: NamespaceStatus,
  applyDefaults({ metadata }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
  },
  prepareCreate(namespace) {
    namespace.status = { phase: 'Active' }
    const finalizers = namespace.spec.finalizers ?? []
    namespace.spec.finalizers = finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes']
  },
  prepareUpdate(namespace, old, { subresource }) {
    if (subresource !== 'finalize') namespace.spec = draft(old.spec)
    if (subresource !== 'status') namespace.status = draft(old.status)
  },
  columns: [nameColumn, { name: 'Status', description: 'The status of the namespace', of: namespace => namespace.status.phase }, ageColumn],
  validate({ metadata, spec }, errors) {
    validatePodSecurityLabels(metadata.labels, errors.at('metadata').at('labels'))
    for (const finalizer of spec.finalizers ?? []) {
      const at = errors.at('spec').at('finalizers')
      const wrong = isQualifiedName(finalizer)
      at.invalidEach(finalizer, wrong)
      if (wrong.length === 0 && !finalizer.includes('/') && finalizer !== 'kubernetes') {
        at.invalid(finalizer, 'name is neither a standard finalizer name nor is it fully qualified')
      }
    }
  },
  validateUpdate({ metadata, status }, _old, errors, subresource) {
    if (subresource !== 'status') return
    const expected = metadata.deletionTimestamp === undefined ? 'Active' : 'Terminating'
    if (status.phase === expected) return
    const when = expected === 'Active' ? '`deletionTimestamp` is empty' : '`deletionTimestamp` is not empty'
    errors.at('status').at('Phase').invalid(status.phase, `may only be '${expected}' if ${when}`)
  },
  validateName: nameIsDNSLabel,
  selectableFields: { 'status.phase': ({ status }) => status.phase },
})
