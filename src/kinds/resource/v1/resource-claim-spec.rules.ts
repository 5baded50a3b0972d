import { deviceSelectorError } from '#machinery/cel/device-selectors.ts'
import { isCIdentifier } from '#machinery/meta/formats.ts'
import { isDNS1123Label, isDNS1123Subdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateLabelName } from '../../meta/v1/rules.ts'
import type { DeviceConfiguration } from './device-configuration.ts'
import type { DeviceSelector } from './device-selector.ts'
import type { DeviceToleration } from './device-toleration.ts'
import type { DeviceClaim, DeviceConstraint, DeviceRequest, DeviceSubRequest, ExactDeviceRequest } from './resource-claim-spec.ts'

const MAX_REQUESTS = 32

/** The devices that a claim asks for. */
export function validateDeviceClaim(claim: DeviceClaim, errors: FieldErrors): void {
  const requests = claim.requests ?? []
  if (requests.length > MAX_REQUESTS) errors.at('requests').tooMany(requests.length, MAX_REQUESTS)
  const names = new Set<string>()
  const seen = new Set<string>()
  for (const { name, firstAvailable } of requests) {
    names.add(name)
    for (const part of firstAvailable ?? []) names.add(`${name}/${part.name}`)
  }
  requests.forEach((request, index) => {
    const at = errors.at('requests').index(index)
    if (seen.has(request.name)) at.at('name').duplicate(request.name)
    seen.add(request.name)
    validateRequest(request, at)
  })
  claim.constraints?.forEach((constraint, index) => {
    validateConstraint(constraint, names, errors.at('constraints').index(index))
  })
  claim.config?.forEach((config, index) => {
    validateRequestNames(config.requests, names, errors.at('config').index(index).at('requests'))
    validateConfiguration(config, errors.at('config').index(index))
  })
}

function validateRequest({ name, exactly, firstAvailable }: DeviceRequest, errors: FieldErrors): void {
  validateRequestName(name, errors.at('name'))
  const hasAlternatives = (firstAvailable ?? []).length > 0
  if (exactly && hasAlternatives) {
    errors.invalid(null, 'exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set')
    return
  }
  if (!exactly && !hasAlternatives) {
    errors.required('exactly one of `exactly` or `firstAvailable` is required')
    return
  }
  if (exactly) validateExact(exactly, errors.at('exactly'))
  const names = new Set<string>()
  firstAvailable?.forEach((part, index) => {
    const at = errors.at('firstAvailable').index(index)
    validateRequestName(part.name, at.at('name'))
    if (names.has(part.name)) at.at('name').duplicate(part.name)
    names.add(part.name)
    validateExact(part, at)
  })
}

function validateRequestName(name: string, errors: FieldErrors): void {
  if (name === '') errors.required()
  else errors.invalidEach(name, isDNS1123Label(name))
}

function validateExact(request: ExactDeviceRequest | DeviceSubRequest, errors: FieldErrors): void {
  const { deviceClassName, selectors, allocationMode, count = 0, tolerations } = request
  if (deviceClassName === '') errors.at('deviceClassName').required()
  else errors.at('deviceClassName').invalidEach(deviceClassName, isDNS1123Subdomain(deviceClassName))
  validateDeviceSelectors(selectors, errors.at('selectors'))
  if (allocationMode === 'All') {
    if (count !== 0) errors.at('count').invalid(count, `must not be specified when allocationMode is 'All'`)
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.at('count').invalid(count, 'must be greater than zero')
  } else errors.at('allocationMode').notSupported(allocationMode, ['All', 'ExactCount'])
  tolerations?.forEach((toleration, index) => {
    validateToleration(toleration, errors.at('tolerations').index(index))
  })
}

/** Expressions that a device must satisfy. */
export function validateDeviceSelectors(selectors: readonly DeviceSelector[] | undefined, errors: FieldErrors): void {
  if (selectors && selectors.length > 32) errors.tooMany(selectors.length, 32)
  selectors?.forEach(({ cel }, index) => {
    const at = errors.index(index)
    if (!cel) at.at('cel').required()
    else if (cel.expression.length > 10_240) at.at('cel').at('expression').tooLong(10_240)
    else if (cel.expression === '') at.at('cel').at('expression').required()
    else {
      const error = deviceSelectorError(cel.expression)
      if (error?.type === 'invalid') at.at('cel').at('expression').invalid(cel.expression, error.detail)
      if (error?.type === 'forbidden') at.at('cel').at('expression').forbidden(error.detail)
    }
  })
}

function validateToleration({ key = '', operator, value = '', effect }: DeviceToleration, errors: FieldErrors): void {
  if (key !== '') validateLabelName(key, errors.at('key'))
  if (operator === 'Exists') {
    if (value !== '') errors.at('value').invalid(value, 'must be empty for operator `Exists`')
  } else if (operator === 'Equal') {
    if (key === '') errors.at('key').required()
  } else errors.at('operator').notSupported(operator, ['Equal', 'Exists'])
  if (effect !== undefined && !['NoExecute', 'NoSchedule'].includes(effect))
    errors.at('effect').notSupported(effect, ['NoExecute', 'NoSchedule'])
}

function validateConstraint(
  { requests, matchAttribute, distinctAttribute }: DeviceConstraint,
  names: ReadonlySet<string>,
  errors: FieldErrors,
): void {
  validateRequestNames(requests, names, errors.at('requests'))
  if (matchAttribute !== undefined) validateFullName(matchAttribute, errors.at('matchAttribute'))
  if (distinctAttribute !== undefined) validateFullName(distinctAttribute, errors.at('distinctAttribute'))
  if ((matchAttribute === undefined) === (distinctAttribute === undefined)) {
    // Upstream words both mistakes so.
    errors.required('exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set')
  }
}

function validateRequestNames(requests: readonly string[] | undefined, names: ReadonlySet<string>, errors: FieldErrors): void {
  requests?.forEach((name, index) => {
    if (requests.indexOf(name) < index) errors.index(index).duplicate(name)
    if (!names.has(name)) {
      errors
        .index(index)
        .invalid(name, "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'")
    }
  })
}

/** `driver.example.com/memory`. */
function validateFullName(name: string, errors: FieldErrors): void {
  if (name === '') {
    errors.required()
    return
  }
  const [domain, attribute, ...more] = name.split('/')
  if (attribute === undefined || more.length > 0) {
    errors.invalid(name, 'a fully qualified name must be a domain and a name separated by a slash')
    return
  }
  if (domain === '') errors.invalid('', 'the domain must not be empty')
  else errors.invalidEach(domain, isDNS1123Subdomain(domain!))
  if (attribute === '') errors.invalid('', 'the name must not be empty')
  else errors.invalidEach(attribute, isCIdentifier(attribute))
}

/** What a driver is told. */
export function validateConfiguration({ opaque }: DeviceConfiguration, errors: FieldErrors): void {
  if (!opaque) {
    errors.required('must specify one of: `opaque`')
    return
  }
  const at = errors.at('opaque')
  validateDriver(opaque.driver, at.at('driver'))
  const parameters: unknown = opaque.parameters
  if (parameters === null || parameters === undefined) at.at('parameters').required()
  else if (typeof parameters !== 'object' || Array.isArray(parameters))
    at.at('parameters').invalid('<value omitted>', 'parameters must be a valid JSON object')
}

/** The name of a driver of devices. */
export function validateDriver(driver: string, errors: FieldErrors): void {
  if (driver === '') {
    errors.required()
    return
  }
  if (driver.length > 63) errors.tooLong(63)
  errors.invalidEach(driver, isDNS1123Subdomain(driver.toLowerCase()))
}
