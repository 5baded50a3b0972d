import type { Node } from '#kinds/core/v1/node.ts'
import type { Service, ServicePort } from '#kinds/core/v1/service.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'

/** What the proxy reads of a Service. */
export type ServiceView = Pick<Service, 'metadata' | 'spec' | 'status'>
export type ServicePortView = Pick<ServicePort, 'name' | 'protocol' | 'port' | 'nodePort'>

/** What the proxy reads of an EndpointSlice. */
export type EndpointSliceView = Pick<EndpointSlice, 'metadata' | 'addressType' | 'endpoints' | 'ports'>
export type EndpointView = Endpoint
export type EndpointPortView = EndpointPort

/** What the proxy reads of its Node. */
export type NodeView = Pick<Node, 'metadata'>
