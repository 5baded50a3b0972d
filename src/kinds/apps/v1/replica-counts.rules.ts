import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateNonNegative } from '../../meta/v1/rules.ts'

interface ReplicaCounts {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number | undefined
  readonly readyReplicas?: number | undefined
  readonly availableReplicas?: number | undefined
  readonly observedGeneration?: number | undefined
}

/** The counts that ReplicaSets and ReplicationControllers report: none negative, each a part of the one before. */
export function validateReplicaCounts(status: ReplicaCounts, errors: FieldErrors): void {
  const { replicas, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  for (const name of ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'] as const) {
    validateNonNegative(status[name], errors.at(name))
  }
  const tooMany = 'cannot be greater than status.replicas'
  if (fullyLabeledReplicas > replicas) errors.at('fullyLabeledReplicas').invalid(fullyLabeledReplicas, tooMany)
  if (readyReplicas > replicas) errors.at('readyReplicas').invalid(readyReplicas, tooMany)
  if (availableReplicas > replicas) errors.at('availableReplicas').invalid(availableReplicas, tooMany)
  if (availableReplicas > readyReplicas) errors.at('availableReplicas').invalid(availableReplicas, 'cannot be greater than readyReplicas')
}
