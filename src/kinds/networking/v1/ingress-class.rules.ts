import { isDNS1123Label, isDNS1123Subdomain, isPathSegmentName } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { IngressClass, IngressClassParametersReference } from './ingress-class.ts'

export function validateIngressClass({ spec }: IngressClass, errors: FieldErrors): void {
  const { controller = '', parameters } = spec
  const at = errors.at('spec').at('controller')
  if (controller === '') at.required()
  else {
    if (controller.length > 250) at.tooLong(250)
    validateDomainPath(controller, at)
  }
  if (parameters) validateParameters(parameters, errors.at('spec').at('parameters'))
}

/** `example.com/ingress-controller`. */
export function validateDomainPath(path: string, errors: FieldErrors): void {
  const slash = path.indexOf('/')
  const domain = path.slice(0, slash)
  const rest = path.slice(slash + 1)
  if (slash <= 0 || rest === '') {
    errors.invalid(path, 'must be a domain-prefixed path (such as "acme.io/foo")')
    return
  }
  errors.invalidEach(domain, isDNS1123Subdomain(domain))
  if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(rest)) {
    errors.invalid(rest, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')")
  }
}

function validateParameters({ apiGroup, kind, name, namespace, scope }: IngressClassParametersReference, errors: FieldErrors): void {
  if (apiGroup !== undefined) errors.at('apiGroup').invalidEach(apiGroup, isDNS1123Subdomain(apiGroup))
  if (kind === '') errors.at('kind').required('kind is required')
  else errors.at('kind').invalidEach(kind, isPathSegmentName(kind))
  if (name === '') errors.at('name').required('name is required')
  else errors.at('name').invalidEach(name, isPathSegmentName(name))
  if (namespace) errors.at('namespace').invalidEach(namespace, isDNS1123Label(namespace))
  if (scope === null || scope === undefined) {
    errors.at('scope').required()
    return
  }
  if (scope !== 'Namespace' && scope !== 'Cluster') errors.at('scope').notSupported(scope, ['Cluster', 'Namespace'])
  if (scope === 'Namespace' && !namespace) errors.at('namespace').required("`parameters.scope` is set to 'Namespace'")
  if (scope === 'Cluster' && namespace !== undefined) errors.at('namespace').forbidden("`parameters.scope` is set to 'Cluster'")
}
