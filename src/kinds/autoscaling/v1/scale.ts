import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import { int32, message, omitempty, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, NAME_DESCRIPTION } from '../../meta/v1/columns.ts'

export const ScaleSpec = message('io.k8s.api.autoscaling.v1.ScaleSpec', {
  replicas: omitempty(1, int32, 'How many pods there should be.'),
})
export interface ScaleSpec extends StoredOf<typeof ScaleSpec> {}

export const ScaleStatus = message('io.k8s.api.autoscaling.v1.ScaleStatus', {
  replicas: required(1, int32, 'How many pods there are.'),
  selector: omitempty(2, string, 'The labels of the pods, as a text.'),
})
export interface ScaleStatus extends StoredOf<typeof ScaleStatus> {}

export interface Scale extends ObjectWith<{ spec: ScaleSpec; status: ScaleStatus }> {}

export const Scale = defineKind({
  documentation: 'How many pods something has and should have.',
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.autoscaling.v1',
  verbs: [],
  spec: ScaleSpec,
  status: ScaleStatus,
  columns: [
    { name: 'Name', description: NAME_DESCRIPTION, of: ({ metadata }) => metadata.name ?? '' },
    {
      name: 'Desired',
      type: 'integer',
      description: 'replicas is the desired number of instances for the scaled object.',
      of: ({ spec }) => spec.replicas ?? 0,
    },
    {
      name: 'Available',
      type: 'integer',
      description: 'replicas is the actual number of observed instances of the scaled object.',
      of: ({ status }) => status.replicas,
    },
    ageColumn,
  ],
})
