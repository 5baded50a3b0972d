import { isPortNumber } from '#machinery/meta/formats.ts'
import { isDNS1035Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { APIService } from './api-service.ts'

/** Who serves a version of a group: this server, or a service of the cluster. */
export function validateAPIService({ metadata, spec }: APIService, errors: FieldErrors): void {
  const { group = '', version = '', service, insecureSkipTLSVerify, caBundle = '', groupPriorityMinimum, versionPriority } = spec
  const at = errors.at('spec')
  const name = `${version}.${group}`
  if (metadata.name !== name) {
    errors
      .at('metadata')
      .at('name')
      .invalid(metadata.name ?? '', `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(name)}`)
  }
  if (group !== '') at.at('group').invalidEach(group, isDNS1123Subdomain(group))
  at.at('version').invalidEach(version, isDNS1035Label(version))
  at.at('groupPriorityMinimum').invalidEach(
    groupPriorityMinimum,
    groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000 ? ['must be positive and less than 20000'] : [],
  )
  at.at('versionPriority').invalidEach(
    versionPriority,
    versionPriority <= 0 || versionPriority > 1000 ? ['must be positive and less than 1000'] : [],
  )
  if (!service) {
    if (caBundle !== '') at.at('caBundle').invalid(`${(caBundle.length / 4) * 3} bytes`, 'local APIServices may not have a caBundle')
    if (insecureSkipTLSVerify)
      at.at('insecureSkipTLSVerify').invalid(insecureSkipTLSVerify, 'local APIServices may not have insecureSkipTLSVerify')
    return
  }
  if (!service.namespace) at.at('service').at('namespace').required()
  if (!service.name) at.at('service').at('name').required()
  for (const wrong of isPortNumber(service.port)) at.at('service').at('port').invalid(service.port, `port is not valid: ${wrong}`)
  if (insecureSkipTLSVerify && caBundle !== '')
    at.at('insecureSkipTLSVerify').invalid(insecureSkipTLSVerify, 'may not be true if caBundle is present')
}
