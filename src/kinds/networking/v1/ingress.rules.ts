import { isPortName, isPortNumber } from '#machinery/meta/formats.ts'
import { isDNS1123Label, isDNS1123Subdomain, isWildcardDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { parseIP, validateIP } from '../../meta/v1/ip.ts'
import { internal } from '../../meta/v1/rules.ts'
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressStatus, IngressTLS } from './ingress.ts'

export function validateIngress({ spec }: Ingress, errors: FieldErrors): void {
  const at = errors.at('spec')
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec
  if (rules.length === 0 && !defaultBackend)
    at.invalid(rules.length === 0 ? null : rules, 'either `defaultBackend` or `rules` must be specified')
  if (defaultBackend) validateBackend(defaultBackend, at.at('defaultBackend'))
  rules.forEach((rule, index) => {
    validateRule(rule, at.at('rules').index(index))
  })
  tls.forEach((entry, index) => {
    validateTls(entry, at.at('tls').index(index))
  })
  if (ingressClassName !== undefined) at.at('ingressClassName').invalidEach(ingressClassName, isDNS1123Subdomain(ingressClassName))
}

/** The class of a new ingress is named once, or twice alike. */
export function validateNewIngress({ metadata, spec }: Ingress, errors: FieldErrors): void {
  const annotation = metadata.annotations?.['kubernetes.io/ingress.class']
  if (annotation === undefined || spec.ingressClassName === undefined || annotation === spec.ingressClassName) return
  errors.at('annotations').at('kubernetes.io/ingress.class').invalid(annotation, 'must match `ingressClassName` when both are specified')
}

function validateRule({ host = '', http }: IngressRule, errors: FieldErrors): void {
  if (host !== '') {
    if (parseIP(host)) errors.at('host').invalid(host, 'must be a DNS name, not an IP address')
    else validateHost(host, errors.at('host'))
  }
  if (!http) return
  if (http.paths.length === 0) errors.at('http').at('paths').required()
  http.paths.forEach((path, index) => {
    validatePath(path, errors.at('http').at('paths').index(index))
  })
}

function validateHost(host: string, errors: FieldErrors): void {
  errors.invalidEach(host, host.includes('*') ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host))
}

const TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const SEQUENCES = ['//', '/./', '/../', '%2f', '%2F']
const ENDINGS = ['/..', '/.']

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, errors: FieldErrors): void {
  const type = pathType as string | undefined
  if (type === undefined) {
    errors.at('pathType').required('pathType must be specified')
    return
  }
  const at = errors.at('path')
  if (type === 'Exact' || type === 'Prefix') {
    if (!path.startsWith('/')) at.invalid(path, 'must be an absolute path')
    else {
      for (const sequence of SEQUENCES) if (path.includes(sequence)) at.invalid(path, `must not contain '${sequence}'`)
      for (const ending of ENDINGS) if (path.endsWith(ending)) at.invalid(path, `cannot end with '${ending}'`)
    }
  } else if (type === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) at.invalid(path, 'must be an absolute path')
  } else errors.at('pathType').notSupported(type, TYPES)
  validateBackend(backend, errors.at('backend'))
}

/** Where requests go: to a service, or to some other object. */
function validateBackend({ service, resource }: IngressBackend, errors: FieldErrors): void {
  if (resource && service) {
    errors.invalid('', 'cannot set both resource and service backends')
    return
  }
  if (resource) {
    const at = errors.at('resource')
    if (resource.apiGroup) at.at('apiGroup').invalidEach(resource.apiGroup, isDNS1123Subdomain(resource.apiGroup))
    if (resource.kind === '') at.at('kind').required()
    if (resource.name === '') at.at('name').required()
    return
  }
  if (!service) {
    errors.invalid('', 'resource or service backend is required')
    return
  }
  const at = errors.at('service')
  if (service.name === '') at.at('name').required()
  else at.at('name').invalidEach(service.name, isDNS1123Label(service.name))
  const { name = '', number = 0 } = service.port ?? {}
  if (name !== '' && number !== 0) errors.invalid(internal(service), 'cannot set both port name & port number')
  else if (name !== '') at.at('port').at('name').invalidEach(name, isPortName(name))
  else if (number !== 0) at.at('port').at('number').invalidEach(number, isPortNumber(number))
  else errors.required('port name or number is required')
}

function validateTls({ hosts = [], secretName = '' }: IngressTLS, errors: FieldErrors): void {
  hosts.forEach((host, index) => {
    validateHost(host, errors.at('hosts').index(index))
  })
  if (secretName !== '') errors.at('secretName').invalidEach(secretName, isDNS1123Subdomain(secretName))
}

export function validateIngressStatus({ loadBalancer }: IngressStatus, errors: FieldErrors): void {
  loadBalancer.ingress?.forEach(({ ip = '', hostname = '' }, index) => {
    const at = errors.index(index)
    if (ip !== '') validateIP(ip, at.at('ip'))
    if (hostname === '') return
    at.at('hostname').invalidEach(hostname, isDNS1123Subdomain(hostname))
    if (parseIP(hostname)) at.at('hostname').invalid(hostname, 'must be a DNS name, not an IP address')
  })
}
