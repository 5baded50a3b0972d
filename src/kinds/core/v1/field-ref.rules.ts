import { isQualifiedName } from '#machinery/meta/names.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { ObjectFieldSelector, ResourceFieldSelector } from './env-var.ts'

/** A field of the pod itself that a container is told; `supported` differs between variables and files. */
export function validateFieldRef({ apiVersion, fieldPath }: ObjectFieldSelector, supported: readonly string[], errors: FieldErrors): void {
  if (fieldPath === '') {
    errors.at('fieldPath').required()
    return
  }
  const at = errors.at('fieldPath')
  if (apiVersion !== 'v1') {
    at.invalid(fieldPath, `error converting fieldPath: unsupported pod version: ${apiVersion}`)
    return
  }
  const subscript = /^(.*)\['(.*)'\]$/s.exec(fieldPath)
  const path = subscript ? subscript[1]! : fieldPath
  if (!KNOWN.has(path)) {
    at.invalid(fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)
    return
  }
  if (subscript) {
    const key = subscript[2]!
    if (path === 'metadata.annotations') errors.invalidEach(key.toLowerCase(), isQualifiedName(key.toLowerCase()))
    else if (path === 'metadata.labels') errors.invalidEach(key, isQualifiedName(key))
    else errors.invalid(path, 'does not support subscript')
  } else if (!supported.includes(path)) at.notSupported(path, supported)
}

const KNOWN: ReadonlySet<string> = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
])

/** An amount of a container's resources. `ofVolume`: the container must be named. */
export function validateResourceRef(ref: ResourceFieldSelector, ofVolume: boolean, errors: FieldErrors): void {
  const { containerName = '', resource, divisor } = ref
  if (ofVolume && containerName === '') errors.at('containerName').required()
  else if (resource === '') errors.at('resource').required()
  else if (!RESOURCES.includes(resource) && !/^(requests|limits)\.hugepages-/.test(resource)) {
    errors.at('resource').notSupported(resource, RESOURCES)
  }
  const kind = resource.replace(/^(requests|limits)\./, '')
  const rule = DIVISORS.find(([name]) => kind === name || (name === 'hugepages' && kind.startsWith('hugepages-')))
  if (!rule || Quantity.parse(divisor).isZero || rule[1].includes(divisor)) return
  errors.at('divisor').invalid(resource, `only divisor's values ${rule[2]} are supported with the ${rule[3]} resource`)
}

const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
const SIZES = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
const DIVISORS: readonly (readonly [string, readonly string[], string, string])[] = [
  ['cpu', ['1m', '1'], '1m and 1', 'cpu'],
  ['memory', SIZES, SIZES.join(', '), 'memory'],
  ['ephemeral-storage', SIZES, SIZES.join(', '), 'local ephemeral storage'],
  ['hugepages', SIZES, SIZES.join(', '), 'hugepages'],
]
