import { isDNS1123Label, isQualifiedName } from '#machinery/meta/names.ts'
import { canonicalQuantity, Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { sortedEntries } from '../../meta/v1/rules.ts'
import type { ResourceRequirements } from './resource-requirements.ts'
import { isExtendedResource, isHugePages, isNativeResource } from './resources.facts.ts'
import { COMPUTE_RESOURCES, COUNTED_RESOURCES } from './standard-resources.facts.ts'

type ResourceList = Readonly<Record<string, string>>

/** Requests and limits of a container: known names, whole numbers where there are no halves, no request above its limit. */
export function validateContainerResources(resources: ResourceRequirements, claims: ReadonlySet<string>, errors: FieldErrors): void {
  validateResources(resources, validateContainerResourceName, claims, errors)
}

/** The same for a pod as a whole, which knows cpu, memory and huge pages. */
export function validatePodResources(resources: ResourceRequirements, claims: ReadonlySet<string>, errors: FieldErrors): void {
  if (resources.claims) errors.at('claims').forbidden('claims cannot be set for Resources at pod-level')
  validateResources(resources, validatePodResourceName, claims, errors)
}

function validateResources(
  { limits, requests, claims }: ResourceRequirements,
  validateName: (name: string, errors: FieldErrors) => void,
  podClaims: ReadonlySet<string>,
  errors: FieldErrors,
): void {
  for (const [name, amount] of sortedEntries(limits)) {
    const at = errors.at('limits').key(name)
    validateName(name, at)
    validateAmount(name, amount, at)
  }
  for (const [name, amount] of sortedEntries(requests)) {
    const at = errors.at('requests').key(name)
    validateName(name, at)
    validateAmount(name, amount, at)
    validateRequest(name, amount, limits, errors)
  }
  const names = [...Object.keys(limits ?? {}), ...Object.keys(requests ?? {})]
  if (names.some(isHugePages) && !names.some(name => name === 'cpu' || name === 'memory')) {
    errors.forbidden('HugePages require cpu or memory')
  }
  validateClaims(claims, podClaims, errors.at('claims'))
}

function validateRequest(name: string, amount: string, limits: ResourceList | undefined, errors: FieldErrors): void {
  const limit = limits?.[name]
  if (limit === undefined) {
    if (!mayOvercommit(name)) errors.at('limits').required('Limit must be set for non overcommitable resources')
    return
  }
  const difference = Quantity.parse(amount).compare(Quantity.parse(limit))
  if (difference !== 0 && !mayOvercommit(name)) errors.at('requests').invalid(amount, `must be equal to ${name} limit of ${limit}`)
  else if (difference > 0) errors.at('requests').invalid(amount, `must be less than or equal to ${name} limit of ${limit}`)
}

/** Sharing more of it than there is makes things slow, not wrong: so for cpu and memory, not for devices and huge pages. */
export function mayOvercommit(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name)
}

function validateAmount(name: string, amount: string, errors: FieldErrors): void {
  validateResourceAmount(name, amount, errors)
  if (isHugePages(name) && !isMultipleOf(amount, name.slice('hugepages-'.length))) {
    errors.invalid(amount, `${amount} is not positive integer multiple of ${name}`)
  }
}

/** An amount is not negative, and a whole number of what can't be halved. `errors` stands at the amount. */
export function validateResourceAmount(name: string, amount: string, errors: FieldErrors): void {
  const quantity = Quantity.parse(amount)
  if (quantity.sign < 0) errors.invalid(amount, 'must be greater than or equal to 0')
  if (isCountable(name) && quantity.toMilli() % 1000 !== 0) errors.invalid(canonicalQuantity(amount), 'must be an integer')
}

/** Amounts of pods, objects and devices are whole numbers. */
function isCountable(name: string): boolean {
  return COUNTED_RESOURCES.has(name) || isExtendedResource(name) || isHugePages(name)
}

function isMultipleOf(amount: string, pageSize: string): boolean {
  let page: bigint
  try {
    page = BigInt(Quantity.parse(pageSize).toNumber())
  } catch {
    return false
  }
  if (page <= 0n) return false
  const quantity = Quantity.parse(amount)
  return quantity.scale >= 0 && (quantity.mantissa * 10n ** BigInt(quantity.scale)) % page === 0n
}

/** Any resource's name: a standard one, or one with a prefix. */
export function validateResourceName(name: string, errors: FieldErrors): boolean {
  const wrong = isQualifiedName(name)
  errors.invalidEach(name, wrong)
  if (wrong.length > 0) return false
  if (!name.includes('/') && !isStandard(name)) {
    errors.invalid(name, 'must be a standard resource type or fully qualified')
    return false
  }
  return true
}

/** What containers may ask for. */
export function validateContainerResourceName(name: string, errors: FieldErrors): void {
  validateResourceName(name, errors)
  if (!name.includes('/')) {
    if (!CONTAINER.has(name) && !isHugePages(name)) errors.invalid(name, 'must be a standard resource for containers')
  } else if (!isNativeResource(name) && !isExtendedName(name)) errors.invalid(name, "doesn't follow extended resource name standard")
}

function validatePodResourceName(name: string, errors: FieldErrors): void {
  if (!validateResourceName(name, errors)) return
  if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) errors.notSupported(name, ['cpu', 'hugepages-', 'memory'])
}

function isExtendedName(name: string): boolean {
  return isExtendedResource(name) && isQualifiedName(`requests.${name}`).length === 0
}

/** Which claims of the pod a container uses. */
function validateClaims(claims: ResourceRequirements['claims'], podClaims: ReadonlySet<string>, errors: FieldErrors): void {
  const seen = new Set<string>()
  claims?.forEach(({ name, request = '' }, index) => {
    const at = errors.index(index)
    if (name === '') {
      at.required()
      return
    }
    if (seen.has(name)) at.duplicate(name)
    else {
      const key = request === '' ? name : `${name}/${request}`
      if (request !== '') at.at('request').invalidEach(request, isDNS1123Label(request))
      if (seen.has(key)) at.duplicate(key)
      else if (request === '' && [...seen].some(other => other.startsWith(`${name}/`))) at.duplicate(name)
      seen.add(key)
    }
    if (!podClaims.has(name)) {
      const known = podClaims.size === 0 ? ' which is empty' : `: ${[...podClaims].sort().join(', ')}`
      at.notFound(name, `must be one of the names in pod.spec.resourceClaims${known}`)
    }
  })
}

const CONTAINER: ReadonlySet<string> = new Set(['cpu', 'memory', 'ephemeral-storage'])

/** Resources of Kubernetes itself, in pods and in quotas. */
const STANDARD: ReadonlySet<string> = new Set([...COMPUTE_RESOURCES, ...COUNTED_RESOURCES, 'storage', 'requests.storage'])

function isStandard(name: string): boolean {
  return STANDARD.has(name) || isHugePages(name) || name.startsWith('requests.hugepages-')
}
