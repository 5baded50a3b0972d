import type { Node } from '#kinds/core/v1/node.ts'
import type { NodeAddress } from '#kinds/core/v1/node-status.ts'
import type { LoadBalancerStatus, Service } from '#kinds/core/v1/service.ts'

/**
 * What a cluster asks of the place where its machines stand. Every part is optional: what a provider leaves out, its controllers leave alone.
 * All calls may be repeated at any time and must then change nothing; they reject when the place cannot be reached, and are tried again.
 */
export interface CloudProvider {
  /** As `--cloud-provider` and `spec.providerID` (`<name>://…`) say it. */
  readonly name: string
  readonly instances?: Instances
  readonly zones?: Zones
  readonly routes?: Routes
  readonly loadBalancers?: LoadBalancers
  /** Another machine does the work from now on: lets go of what only one machine may have. */
  standBy?(): Promise<void>
}

/** The machines that nodes are. */
export interface Instances {
  /** Whether the node's machine is there; false deletes a node that is not ready. */
  exists(node: Node): Promise<boolean>
  /** Whether the machine is there but off. */
  isShutDown(node: Node): Promise<boolean>
  /** What is known of the machine; undefined: it is not this provider's. */
  describe(node: Node): Promise<Instance | undefined>
}

/** A machine. */
export interface Instance {
  /** `<provider>://<whatever names the machine there>`. */
  readonly providerID: string
  /** Label `node.kubernetes.io/instance-type`; '' for none. */
  readonly instanceType: string
  readonly addresses: readonly NodeAddress[]
  readonly labels?: Readonly<Record<string, string>>
}

/** Where machines stand. */
export interface Zones {
  /** Labels `topology.kubernetes.io/zone` and `/region`; '' for none. */
  of(node: Node): Promise<{ readonly zone: string; readonly region: string }>
}

/** Routes from machines to the pods of others. */
export interface Routes {
  /** Whether pods of the node are reached by routes of this provider. */
  reaches(node: Node): boolean
  /** The routes that are set, whoever asked for them. */
  list(): Promise<readonly Route[]>
  create(route: Route): Promise<void>
  delete(route: Route): Promise<void>
}

/** Pods of `cidr` are at the node with that address. */
export interface Route {
  readonly cidr: string
  readonly address: string
  /** Only some of the machines have it that need it. */
  readonly isPartial?: boolean
}

/** Addresses at which Services are reached from outside of the cluster. */
export interface LoadBalancers {
  /** The `spec.loadBalancerClass` that is this provider's beside none at all. */
  readonly className?: string
  /** Makes the Service reachable, or brings what is there up to date, and returns what `status.loadBalancer` is to say. */
  ensure(service: Service, nodes: readonly Node[]): Promise<LoadBalancerStatus>
  /** Takes away what was made for the Service. Nothing there is no failure. */
  delete(service: Pick<Service, 'metadata' | 'spec' | 'status'>): Promise<void>
}
