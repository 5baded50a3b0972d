import { isPortNumber } from '#machinery/meta/formats.ts'
import { isDNS1123Label, isQualifiedName, nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateIP, validateOrdinaryIP } from '../../meta/v1/ip.ts'
import { validateWord } from '../../meta/v1/rules.ts'
import type { EndpointAddress, EndpointPort, Endpoints } from './endpoints.ts'

export function validateEndpoints({ subsets }: Endpoints, errors: FieldErrors): void {
  subsets?.forEach(({ addresses = [], notReadyAddresses = [], ports = [] }, index) => {
    const at = errors.at('subsets').index(index)
    if (addresses.length === 0 && notReadyAddresses.length === 0) at.required('must specify `addresses` or `notReadyAddresses`')
    addresses.forEach((address, position) => {
      validateAddress(address, at.at('addresses').index(position))
    })
    notReadyAddresses.forEach((address, position) => {
      validateAddress(address, at.at('notReadyAddresses').index(position))
    })
    ports.forEach((port, position) => {
      validatePort(port, ports.length > 1, at.at('ports').index(position))
    })
  })
}

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, errors: FieldErrors): void {
  validateIP(ip, errors.at('ip'))
  validateOrdinaryIP(ip, errors.at('ip'))
  if (hostname) errors.at('hostname').invalidEach(hostname, isDNS1123Label(hostname))
  if (nodeName !== undefined) errors.at('nodeName').invalidEach(nodeName, nameIsDNSSubdomain(nodeName, false))
}

function validatePort({ name = '', port, protocol, appProtocol }: EndpointPort, requiresName: boolean, errors: FieldErrors): void {
  if (name === '') {
    if (requiresName) errors.at('name').required()
  } else errors.at('name').invalidEach(name, isDNS1123Label(name))
  errors.at('port').invalidEach(port, isPortNumber(port))
  validateWord(protocol, ['SCTP', 'TCP', 'UDP'], errors.at('protocol'))
  if (appProtocol !== undefined) errors.at('appProtocol').invalidEach(appProtocol, isQualifiedName(appProtocol))
}
