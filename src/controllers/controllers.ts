import { clusterRoleAggregationController } from './clusterrole-aggregation.ts'
import { deploymentController } from './deployment.ts'
import { endpointSliceController } from './endpointslice.ts'
import { garbageCollectorController } from './garbage-collector.ts'
import { jobController } from './job.ts'
import { namespaceController } from './namespace.ts'
import { nodeIpamController } from './node-ipam.ts'
import { nodeLifecycleController } from './node-lifecycle.ts'
import { replicaSetController } from './replicaset.ts'
import { rootCACertificatePublisherController } from './root-ca-certificate-publisher.ts'
import type { Controller } from './runtime/controller.ts'
import { serviceAccountController } from './serviceaccount.ts'
import { serviceAccountTokenController } from './serviceaccount-token.ts'

/** Every controller, in the order in which they start, under upstream's names. */
export const controllers: readonly Controller[] = [
  serviceAccountTokenController,
  endpointSliceController,
  namespaceController,
  serviceAccountController,
  garbageCollectorController,
  jobController,
  deploymentController,
  replicaSetController,
  nodeIpamController,
  nodeLifecycleController,
  clusterRoleAggregationController,
  rootCACertificatePublisherController,
]

/** Those that run only when they are asked for by name: `*` does not mean them. */
export const disabledByDefault: ReadonlySet<string> = new Set([
  'bootstrap-signer-controller',
  'token-cleaner-controller',
  'selinux-warning-controller',
])

/** Whether `--controllers` asks for the controller: its name, or `*` and not its name with a `-` before it. */
export function isEnabled(name: string, enabled: readonly string[]): boolean {
  if (enabled.includes(name)) return true
  if (enabled.includes(`-${name}`)) return false
  return enabled.includes('*') && !disabledByDefault.has(name)
}
