import { isDNS1123Label, isDNS1123Subdomain, isLabelValue, isQualifiedName, nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import { validateLabels } from '#machinery/meta/validate-object-meta.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { parseIP, textOfIP, validateOrdinaryIP } from '../../meta/v1/ip.ts'
import { validateWord } from '../../meta/v1/rules.ts'
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from './endpoint-slice.ts'

const TYPES = ['FQDN', 'IPv4', 'IPv6']

export function validateEndpointSlice({ addressType, endpoints, ports }: EndpointSlice, errors: FieldErrors): void {
  validateWord(addressType, TYPES, errors.at('addressType'))
  if (endpoints && endpoints.length > 1000) errors.at('endpoints').tooMany(endpoints.length, 1000)
  else
    endpoints?.forEach((endpoint, index) => {
      validateEndpoint(endpoint, addressType, errors.at('endpoints').index(index))
    })
  validatePorts(ports ?? [], errors.at('ports'))
}

function validateEndpoint(
  { addresses, nodeName, deprecatedTopology = {}, hostname, hints }: Endpoint,
  type: string,
  errors: FieldErrors,
): void {
  const at = errors.at('addresses')
  if (addresses.length === 0) at.required('must contain at least 1 address')
  else if (addresses.length > 100) at.tooMany(addresses.length, 100)
  else
    addresses.forEach((address, index) => {
      validateAddress(address, type, at.index(index), at)
    })
  if (nodeName !== undefined) errors.at('nodeName').invalidEach(nodeName, nameIsDNSSubdomain(nodeName, false))
  const topology = errors.at('deprecatedTopology')
  const labels = Object.keys(deprecatedTopology)
  if (labels.length > 16) topology.tooMany(labels.length, 16)
  validateLabels(deprecatedTopology, topology)
  for (const key of ['kubernetes.io/hostname', 'topology.kubernetes.io/zone']) {
    if (deprecatedTopology[key] !== undefined) topology.key(key).invalid(key, 'may not be set, use the field instead')
  }
  if (hostname !== undefined) errors.at('hostname').invalidEach(hostname, isDNS1123Label(hostname))
  if (hints) validateHints(hints, errors.at('hints'))
}

function validateAddress(address: string, type: string, errors: FieldErrors, list: FieldErrors): void {
  if (type === 'FQDN') {
    errors.invalidEach(address, isDNS1123Subdomain(address))
    return
  }
  if (type !== 'IPv4' && type !== 'IPv6') return
  const ip = parseIP(address)
  if (!ip) errors.invalid(address, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
  else if (type === 'IPv6' && ip.family === 'IPv6' && textOfIP(ip) !== address)
    errors.invalid(address, `must be in canonical form ("${textOfIP(ip)}")`)
  if (ip?.family !== type) list.invalid(address, `must be an ${type} address`)
  else validateOrdinaryIP(address, errors)
}

function validateHints({ forZones = [], forNodes = [] }: EndpointHints, errors: FieldErrors): void {
  if (forZones.length > 8) errors.at('forZones').tooMany(forZones.length, 8)
  if (forNodes.length > 8) errors.at('forNodes').tooMany(forNodes.length, 8)
  const zones = new Set<string>()
  forZones.forEach(({ name }, index) => {
    const at = errors.at('forZones').index(index).at('name')
    if (zones.has(name)) at.duplicate(name)
    else at.invalidEach(name, isLabelValue(name))
    zones.add(name)
  })
  const nodes = new Set<string>()
  forNodes.forEach(({ name }, index) => {
    const at = errors.at('forNodes').index(index).at('name')
    if (nodes.has(name)) at.duplicate(name)
    else at.invalidEach(name, nameIsDNSSubdomain(name, false))
    nodes.add(name)
  })
}

function validatePorts(ports: readonly EndpointPort[], errors: FieldErrors): void {
  if (ports.length > 20_000) {
    errors.tooMany(ports.length, 20_000)
    return
  }
  const names = new Set<string>()
  ports.forEach(({ name, protocol, appProtocol }, index) => {
    const at = errors.index(index)
    if (name !== '') at.at('name').invalidEach(name, isDNS1123Label(name))
    if (names.has(name)) at.at('name').duplicate(name)
    names.add(name)
    if ((protocol as string) === '') at.at('protocol').required()
    else validateWord(protocol, ['SCTP', 'TCP', 'UDP'], at.at('protocol'))
    if (appProtocol !== undefined) at.at('appProtocol').invalidEach(appProtocol, isQualifiedName(appProtocol))
  })
}
