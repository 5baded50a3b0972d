import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { isDNS1123Subdomain } from '#machinery/meta/names.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import { optional, quantity, required, string } from '#machinery/schema/schema.ts'
import { LabelSelector } from '../../meta/v1/label-selector.ts'
import { validateImmutable, validateLabelSelector } from '../../meta/v1/rules.ts'

const fields = {
  nodeTopology: optional(2, LabelSelector, 'The nodes that this is about, by their labels.'),
  storageClassName: required(3, string, 'The storage class.'),
  capacity: optional(4, quantity, 'How much storage there is in all.'),
  maximumVolumeSize: optional(5, quantity, 'The largest volume that can be made.'),
}

export interface CSIStorageCapacity extends ObjectOfFields<typeof fields> {}

export const CSIStorageCapacity = defineKind({
  documentation: 'How much storage is left in a place.',
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.storage.v1',
  unconditionalUpdate: false,
  fields,
  validate({ storageClassName, capacity, maximumVolumeSize, nodeTopology }, errors) {
    errors.at('storageClassName').invalidEach(storageClassName, isDNS1123Subdomain(storageClassName))
    for (const [name, amount] of Object.entries({ capacity, maximumVolumeSize })) {
      if (amount !== undefined && Quantity.parse(amount).sign < 0) errors.at(name).invalid(amount, 'must be greater than or equal to 0')
    }
    validateLabelSelector(nodeTopology, errors.at('nodeTopology'))
  },
  validateUpdate({ storageClassName, nodeTopology }, old, errors) {
    validateImmutable(nodeTopology, old.nodeTopology, errors.at('nodeTopology'))
    validateImmutable(storageClassName, old.storageClassName, errors.at('storageClassName'))
  },
})
