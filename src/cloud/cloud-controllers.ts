import type { Controller } from '#controllers/runtime/controller.ts'
import { cloudNodeController } from './cloud-node.ts'
import { cloudNodeLifecycleController } from './cloud-node-lifecycle.ts'
import { nodeRouteController } from './node-route.ts'
import type { CloudProvider } from './provider.ts'
import { serviceLoadBalancerController } from './service-load-balancer.ts'

/** The controllers of a provider, under upstream's names; one for each part that it has. */
export function cloudControllers(provider: CloudProvider, options: CloudControllerOptions): readonly Controller[] {
  const { instances, routes, loadBalancers } = provider
  return [
    ...(instances ? [cloudNodeController(provider, instances, options), cloudNodeLifecycleController(instances, options)] : []),
    ...(routes ? [nodeRouteController(routes, options)] : []),
    ...(loadBalancers ? [serviceLoadBalancerController(loadBalancers)] : []),
  ]
}

export interface CloudControllerOptions {
  /** How often it is asked whether the machine of a node that is not ready is still there. */
  readonly nodeMonitorPeriodMs: number
  /** How often the addresses of machines are asked for. */
  readonly nodeStatusUpdateFrequencyMs: number
  /** How soon a route that could not be set is tried again. */
  readonly routeReconciliationPeriodMs: number
  /** The addresses of pods: routes outside are not touched. Empty: all are the cluster's. */
  readonly clusterCIDRs: readonly string[]
}

export const defaultCloudControllerOptions: CloudControllerOptions = {
  nodeMonitorPeriodMs: 5_000,
  nodeStatusUpdateFrequencyMs: 300_000,
  routeReconciliationPeriodMs: 10_000,
  clusterCIDRs: [],
}

/** Upstream's names, all of which `--controllers` takes, and older ones. */
export const CLOUD_CONTROLLER_NAMES: Readonly<Record<string, string>> = {
  'cloud-node-controller': 'cloud-node-controller',
  'cloud-node': 'cloud-node-controller',
  'cloud-node-lifecycle-controller': 'cloud-node-lifecycle-controller',
  'cloud-node-lifecycle': 'cloud-node-lifecycle-controller',
  'node-route-controller': 'node-route-controller',
  route: 'node-route-controller',
  'service-lb-controller': 'service-lb-controller',
  service: 'service-lb-controller',
}

/** The accounts that upstream's roles are bound to. */
const ACCOUNTS: Readonly<Record<string, string>> = {
  'cloud-node-controller': 'node-controller',
  'cloud-node-lifecycle-controller': 'node-controller',
  'node-route-controller': 'route-controller',
  'service-lb-controller': 'service-controller',
}

/** The service account of kube-system that a controller acts as. */
export function cloudAccountOf(controller: string): string {
  return ACCOUNTS[controller] ?? controller
}
