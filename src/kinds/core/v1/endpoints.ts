import { defineKind, type ObjectOfFields } from '#machinery/kind/kind.ts'
import { defaulted, int32, list, message, omitempty, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'
import { ageColumn, firstThree, nameColumn } from '../../meta/v1/columns.ts'
import { validateEndpoints } from './endpoints.rules.ts'
import { ObjectReference } from './object-reference.ts'
import { Protocol } from './protocol.ts'

export const EndpointAddress = message(
  'io.k8s.api.core.v1.EndpointAddress',
  {
    ip: required(1, string, 'The address.'),
    hostname: omitempty(3, string, 'Its host name.'),
    nodeName: optional(4, string, 'The node on which it is.'),
    targetRef: optional(2, ObjectReference, 'The pod behind it.'),
  },
  { mapType: 'atomic' },
)
export interface EndpointAddress extends StoredOf<typeof EndpointAddress> {}

export const EndpointPort = message(
  'io.k8s.api.core.v1.EndpointPort',
  {
    name: omitempty(1, string, 'The name of the port.'),
    port: required(2, int32, 'The number of the port.'),
    protocol: defaulted(3, Protocol, 'TCP', 'TCP, UDP or SCTP.', 'value'),
    appProtocol: optional(4, string, 'What is spoken on the port.'),
  },
  { mapType: 'atomic' },
)
export interface EndpointPort extends StoredOf<typeof EndpointPort> {}

export const EndpointSubset = message('io.k8s.api.core.v1.EndpointSubset', {
  addresses: omitempty(1, list(EndpointAddress), 'Addresses that are ready.'),
  notReadyAddresses: omitempty(2, list(EndpointAddress), 'Addresses that are not ready.'),
  ports: omitempty(3, list(EndpointPort), 'The ports that they serve.'),
})
export interface EndpointSubset extends StoredOf<typeof EndpointSubset> {}

const fields = {
  subsets: omitempty(2, list(EndpointSubset), 'Addresses with the ports they serve.'),
}

export interface Endpoints extends ObjectOfFields<typeof fields> {}

export const Endpoints = defineKind({
  documentation: 'The addresses behind a service, in the older form.',
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  scope: 'Namespaced',
  openapi: 'io.k8s.api.core.v1',
  shortNames: ['ep'],
  createOnUpdate: true,
  storagePrefix: 'services/endpoints',
  fields,
  columns: [
    nameColumn,
    {
      name: 'Endpoints',
      description:
        'The set of all endpoints is the union of all subsets. Addresses are placed into subsets according to the IPs they share. A single address with multiple ports, some of which are ready and some of which are not (because they come from different containers) will result in the address being displayed in different subsets for the different ports. No address will appear in both Addresses and NotReadyAddresses in the same subset. Sets of addresses and ports that comprise a service.',
      of: ({ subsets }) => firstThree((subsets ?? []).flatMap(addressesOf)),
    },
    ageColumn,
  ],
  validate: validateEndpoints,
  warnings: () => ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
})

function addressesOf({ addresses = [], ports = [] }: EndpointSubset): string[] {
  if (ports.length === 0) return addresses.map(({ ip }) => ip)
  return ports.flatMap(({ port }) => addresses.map(({ ip }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)))
}
