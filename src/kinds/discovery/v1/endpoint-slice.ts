import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import {
  boolean,
  defaulted,
  embedded,
  int32,
  list,
  listSet,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ObjectReference } from '../../core/v1/object-reference.ts'
import { Protocol } from '../../core/v1/protocol.ts'
import { ageColumn, firstThree, nameColumn } from '../../meta/v1/columns.ts'
import { validateImmutable } from '../../meta/v1/rules.ts'
import { validateEndpointSlice } from './endpoint-slice.rules.ts'

export const EndpointConditions = message('io.k8s.api.discovery.v1.EndpointConditions', {
  ready: optional(1, boolean, 'Whether it takes new traffic.'),
  serving: optional(2, boolean, 'Whether it answers.'),
  terminating: optional(3, boolean, 'Whether it is on its way out.'),
})
export interface EndpointConditions extends StoredOf<typeof EndpointConditions> {}

export const ForNode = message('io.k8s.api.discovery.v1.ForNode', {
  name: required(1, string),
})
export interface ForNode extends StoredOf<typeof ForNode> {}

export const ForZone = message('io.k8s.api.discovery.v1.ForZone', {
  name: required(1, string),
})
export interface ForZone extends StoredOf<typeof ForZone> {}

export const EndpointHints = message('io.k8s.api.discovery.v1.EndpointHints', {
  forZones: omitempty(1, list(ForZone), 'Zones that should use it.'),
  forNodes: omitempty(2, list(ForNode), 'Nodes that should use it.'),
})
export interface EndpointHints extends StoredOf<typeof EndpointHints> {}

export const Endpoint = message('io.k8s.api.discovery.v1.Endpoint', {
  addresses: required(1, listSet(string), 'The addresses of the endpoint; the first one counts.'),
  conditions: embedded(2, EndpointConditions, 'Whether it serves.'),
  hostname: optional(3, string, 'Its host name.'),
  targetRef: optional(4, ObjectReference, 'The pod behind it.'),
  deprecatedTopology: omitempty(5, map(string)),
  nodeName: optional(6, string, 'The node on which it is.'),
  zone: optional(7, string, 'The zone in which it is.'),
  hints: optional(8, EndpointHints, 'Who should use it.'),
})
export interface Endpoint extends StoredOf<typeof Endpoint> {}

export const EndpointPort = message(
  'io.k8s.api.discovery.v1.EndpointPort',
  {
    name: defaulted(1, string, '', 'The name of the port.'),
    protocol: defaulted(2, Protocol, 'TCP', 'TCP, UDP or SCTP.'),
    port: optional(3, int32, 'The number of the port.'),
    appProtocol: optional(4, string, 'What is spoken on the port.'),
  },
  { mapType: 'atomic' },
)
export interface EndpointPort extends StoredOf<typeof EndpointPort> {}

const fields = {
  addressType: required(4, oneOf('IPv4', 'IPv6', 'FQDN'), 'IPv4, IPv6 or names.'),
  endpoints: embedded(2, list(Endpoint, { nullable: true }), 'Who answers.'),
  ports: embedded(3, list(EndpointPort, { nullable: true }), 'The ports on which they answer.'),
}

export interface EndpointSlice extends ObjectOfFields<typeof fields> {}

export const EndpointSlice = defineKind({
  documentation: 'A part of the addresses behind a service.',
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.discovery.v1',
  generation: true,
  fields,
  columns: [
    nameColumn,
    { name: 'AddressType', of: slice => slice.addressType },
    { name: 'Ports', of: ({ ports }) => portsText(ports) },
    { name: 'Endpoints', of: ({ endpoints }) => (endpoints ? firstThree(endpoints.flatMap(({ addresses }) => addresses)) : '<unset>') },
    ageColumn,
  ],
  validate: validateEndpointSlice,
  validateUpdate: ({ addressType }, old, errors) => validateImmutable(addressType, old.addressType, errors.at('addressType')),
})

function portsText(ports: EndpointSlice['ports']): string {
  const numbers = (ports ?? []).flatMap(({ port }) => (port === undefined ? [] : [`${port}`]))
  return numbers.length > 0 ? firstThree(numbers) : '<unset>'
}
