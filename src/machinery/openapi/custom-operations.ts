import type { Operation } from './operations.ts'

const OBJECTS = ['application/json', 'application/yaml']
const PATCHES = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']

/** The operations of a custom resource, made of those that any kind has: JSON and YAML only, and no paths below `/watch`. */
export function customOperations(operations: readonly Operation[]): readonly Operation[] {
  const list = operations.find(({ action }) => action === 'list')?.parameters ?? []
  return operations.filter(({ action }) => action !== 'watch' && action !== 'watchlist').map(one => customOperation(one, list))
}

function customOperation(operation: Operation, list: readonly string[]): Operation {
  const custom = { ...operation, produces: OBJECTS }
  switch (operation.action) {
    case 'get':
      return { ...custom, parameters: ['resourceVersion'] }
    case 'patch':
      return { ...custom, consumes: PATCHES, responses: { '200': operation.responses['200'], '401': undefined } }
    case 'deletecollection': {
      const { body: _, isBodyRequired: __, ...bare } = custom
      return { ...bare, parameters: list }
    }
    default:
      return operation.body === undefined ? custom : { ...custom, consumes: OBJECTS }
  }
}

/**
 * The versions that upstream's client knows: to each belong DeleteOptions of its own, and the documents of custom resources name them all.
 */
export const OPTIONS_VERSIONS: readonly string[] = [
  'v1',
  ...versions('admissionregistration.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('apps', 'v1', 'v1beta1', 'v1beta2'),
  ...versions('authentication.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('authorization.k8s.io', 'v1', 'v1beta1'),
  ...versions('autoscaling', 'v1', 'v2'),
  ...versions('batch', 'v1', 'v1beta1'),
  ...versions('certificates.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('coordination.k8s.io', 'v1', 'v1alpha2', 'v1beta1'),
  ...versions('discovery.k8s.io', 'v1', 'v1beta1'),
  ...versions('events.k8s.io', 'v1', 'v1beta1'),
  ...versions('extensions', 'v1beta1'),
  ...versions('flowcontrol.apiserver.k8s.io', 'v1', 'v1beta1', 'v1beta2', 'v1beta3'),
  ...versions('internal.apiserver.k8s.io', 'v1alpha1'),
  ...versions('networking.k8s.io', 'v1', 'v1beta1'),
  ...versions('node.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('policy', 'v1', 'v1beta1'),
  ...versions('rbac.authorization.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('resource.k8s.io', 'v1', 'v1alpha3', 'v1beta1', 'v1beta2'),
  ...versions('scheduling.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('storage.k8s.io', 'v1', 'v1alpha1', 'v1beta1'),
  ...versions('storagemigration.k8s.io', 'v1beta1'),
]

function versions(group: string, ...names: readonly string[]): string[] {
  return names.map(name => `${group}/${name}`)
}
