import { isPortName, isPortNumber } from '#machinery/meta/formats.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { contains, parseCIDR, validateCIDR } from '../../meta/v1/ip.ts'
import { validateLabelSelector } from '../../meta/v1/rules.ts'
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from './network-policy.ts'

export function validateNetworkPolicy({ spec }: NetworkPolicy, errors: FieldErrors): void {
  const at = errors.at('spec')
  validateLabelSelector(spec.podSelector, at.at('podSelector'))
  spec.ingress?.forEach(({ ports, from }, index) => {
    validateRule(ports, from, 'from', at.at('ingress').index(index))
  })
  spec.egress?.forEach(({ ports, to }, index) => {
    validateRule(ports, to, 'to', at.at('egress').index(index))
  })
  if (spec.policyTypes.length > 2) {
    at.at('policyTypes').invalid(spec.policyTypes, 'may not specify more than two policyTypes')
    return
  }
  spec.policyTypes.forEach((type, index) => {
    if (type !== 'Ingress' && type !== 'Egress') at.at('policyTypes').index(index).notSupported(type, ['Ingress', 'Egress'])
  })
}

function validateRule(
  ports: readonly NetworkPolicyPort[] | undefined,
  peers: readonly NetworkPolicyPeer[] | undefined,
  name: 'from' | 'to',
  errors: FieldErrors,
): void {
  ports?.forEach((port, index) => {
    validatePort(port, errors.at('ports').index(index))
  })
  peers?.forEach((peer, index) => {
    validatePeer(peer, errors.at(name).index(index))
  })
}

const PROTOCOLS = ['TCP', 'UDP', 'SCTP']

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, errors: FieldErrors): void {
  if (!PROTOCOLS.includes(protocol)) errors.at('protocol').notSupported(protocol, PROTOCOLS)
  if (typeof port === 'number') {
    errors.at('port').invalidEach(port, isPortNumber(port))
    if (endPort === undefined) return
    if (endPort < port) errors.at('endPort').invalid(port, 'must be greater than or equal to `port`')
    errors.at('endPort').invalidEach(endPort, isPortNumber(endPort))
  } else {
    const missing = port === undefined ? 'not specified' : 'non-numeric'
    if (endPort !== undefined) errors.at('endPort').invalid(endPort, `may not be specified when \`port\` is ${missing}`)
    if (port !== undefined) errors.at('port').invalidEach(port, isPortName(port))
  }
}

function validatePeer({ podSelector, namespaceSelector, ipBlock }: NetworkPolicyPeer, errors: FieldErrors): void {
  validateLabelSelector(podSelector, errors.at('podSelector'))
  validateLabelSelector(namespaceSelector, errors.at('namespaceSelector'))
  if (ipBlock) validateBlock(ipBlock, errors.at('ipBlock'))
  if (!podSelector && !namespaceSelector && !ipBlock) errors.required('must specify a peer')
  else if (ipBlock && (podSelector || namespaceSelector)) errors.forbidden('may not specify both ipBlock and another peer')
}

function validateBlock({ cidr, except = [] }: IPBlock, errors: FieldErrors): void {
  if (cidr === '') {
    errors.at('cidr').required()
    return
  }
  const range = validateCIDR(cidr, errors.at('cidr'))
  if (!range) return
  except.forEach((text, index) => {
    const at = errors.at('except').index(index)
    validateCIDR(text, at)
    const part = parseCIDR(text)
    if (part && (!contains(range, part) || range.length >= part.length)) at.invalid(text, 'must be a strict subset of `cidr`')
  })
}
