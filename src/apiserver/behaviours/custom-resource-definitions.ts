import type { CustomResourceDefinition } from '#kinds/apiextensions/v1/custom-resource-definition.ts'
import type { Mutable } from '#machinery/kind/kind.ts'
import { CLEANUP_FINALIZER, withCondition } from '../crd/definition-status.plan.ts'
import type { Behaviour } from '../registry/behaviour.ts'

/** A definition goes once all its objects are gone: the first delete only marks it. */
export const customResourceDefinitions: Behaviour = {
  group: 'apiextensions.k8s.io',
  resource: 'customresourcedefinitions',
  isHeld: object => !object.metadata.deletionTimestamp,
  markDeleted(object) {
    const definition = object as Mutable<CustomResourceDefinition>
    const { metadata, status } = definition
    // Upstream marks it by hand: neither its generation nor a grace period is touched.
    delete metadata.deletionGracePeriodSeconds
    if (metadata.generation) metadata.generation--
    if (!metadata.finalizers?.includes(CLEANUP_FINALIZER)) metadata.finalizers = [...(metadata.finalizers ?? []), CLEANUP_FINALIZER]
    const news = {
      type: 'Terminating',
      status: 'True',
      reason: 'InstanceDeletionPending',
      message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    } as const
    const conditions = withCondition(status.conditions ?? [], news, metadata.deletionTimestamp ?? '') as typeof status.conditions
    definition.status = { ...status, conditions }
  },
}
