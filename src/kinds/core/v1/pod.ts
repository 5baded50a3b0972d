import { type ApiObjectDraft, defineKind, type Kind, type ObjectWith } from '#machinery/kind/kind.ts'
import type { DraftOf } from '#machinery/schema/schema.ts'
import { statusSubresource } from '../../meta/v1/subresources.ts'
import { gatedPodFields, gatedPodStatusFields } from './gated-pod-fields.ts'
import { podColumns, podRowConditions } from './pod.columns.ts'
import { applyPodDefaults } from './pod.defaults.ts'
import { validateNewPod, validatePod, validatePodUpdate } from './pod.rules.ts'
import { preparePod, preparePodUpdate } from './pod.strategy.ts'
import { podWarnings } from './pod.warnings.ts'
import { PodSpec } from './pod-spec.ts'
import { PodStatus } from './pod-status.ts'

export interface Pod extends ObjectWith<{ spec: PodSpec; status: PodStatus }> {}

/** What a client may send of a pod. */
export interface PodDraft extends ApiObjectDraft {
  readonly spec?: DraftOf<typeof PodSpec> | undefined
  readonly status?: DraftOf<typeof PodStatus> | undefined
}

// Its type is named, since written out it is longer than a declaration file may hold.
export const Pod: Kind<Pod, PodDraft> = defineKind({
  documentation: 'Containers that run together on a node.',
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['po'],
  categories: ['all'],
  subresources: [
    { name: 'attach', verbs: ['create', 'get'], kind: { group: '', version: 'v1', kind: 'PodAttachOptions' } },
    { name: 'binding', verbs: ['create'], kind: { group: '', version: 'v1', kind: 'Binding' } },
    { name: 'ephemeralcontainers', verbs: ['get', 'patch', 'update'] },
    { name: 'eviction', verbs: ['create'], kind: { group: 'policy', version: 'v1', kind: 'Eviction' } },
    { name: 'exec', verbs: ['create', 'get'], kind: { group: '', version: 'v1', kind: 'PodExecOptions' } },
    { name: 'log', verbs: ['get'] },
    { name: 'portforward', verbs: ['create', 'get'], kind: { group: '', version: 'v1', kind: 'PodPortForwardOptions' } },
    { name: 'proxy', verbs: ['create', 'delete', 'get', 'patch', 'update'], kind: { group: '', version: 'v1', kind: 'PodProxyOptions' } },
    { name: 'resize', verbs: ['get', 'patch', 'update'] },
    statusSubresource,
  ],
  deleteReturnsObject: true,
  generation: true,
  spec: PodSpec,
  status: PodStatus,
  applyDefaults: applyPodDefaults,
  columns: podColumns,
  rowConditions: podRowConditions,
  gatedFields: [...gatedPodFields('spec'), ...gatedPodStatusFields],
  prepareCreate: preparePod,
  prepareUpdate: preparePodUpdate,
  validate: validatePod,
  validateCreate: validateNewPod,
  validateUpdate: validatePodUpdate,
  warnings: (pod, old) => (old ? [] : podWarnings(pod)),
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec.restartPolicy,
    'spec.schedulerName': ({ spec }) => spec.schedulerName,
    'spec.serviceAccountName': ({ spec }) => spec.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => `${spec.hostNetwork ?? false}`,
    'status.phase': ({ status }) => status.phase ?? '',
    'status.podIP': ({ status }) => status.podIPs?.[0]?.ip ?? '',
    'status.podIPs': ({ status }) => status.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': ({ status }) => status.nominatedNodeName ?? '',
  },
})
