import type { ObjectMeta } from '#machinery/kind/object-meta.ts'
import { isInRange } from '#machinery/meta/formats.ts'
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isDNS1123SubdomainWithUnderscore,
  isQualifiedName,
  nameIsDNSSubdomain,
} from '#machinery/meta/names.ts'
import { validateLabels } from '#machinery/meta/validate-object-meta.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import { validateIP } from '../../meta/v1/ip.ts'
import { internal, sortedEntries, validateWord } from '../../meta/v1/rules.ts'
import { validateAffinity, validateSpread } from './affinity.rules.ts'
import { validateContainers } from './container.rules.ts'
import { containerRequests } from './pod.defaults.ts'
import type { PodResourceClaim, PodSpec } from './pod-spec.ts'
import { validateContainerResources, validatePodResources } from './resource-requirements.rules.ts'
import { validateHostProcess, validatePodSecurityContext } from './security-context.rules.ts'
import type { SecurityContext } from './security-context.ts'
import { validateTolerations } from './toleration.rules.ts'
import { validateVolumes } from './volume.rules.ts'

/** The spec of a pod, or of a template of pods if `pod` is undefined. */
export function validatePodSpec(spec: PodSpec, pod: ObjectMeta | undefined, errors: FieldErrors): void {
  const volumes = validateVolumes(spec.volumes, pod, errors.at('volumes'))
  const claims = new Set((spec.resourceClaims ?? []).map(claim => claim.name).filter(name => name !== ''))
  validateResourceClaims(spec.resourceClaims, errors.at('resourceClaims'))
  validateContainers({ spec, volumes, claims }, errors)
  if (spec.resources) validateWholePod(spec, claims, errors.at('resources'))
  validateHostNetwork(spec, pod !== undefined, errors)
  validateWord(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], errors.at('restartPolicy'))
  validateWord(spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], errors.at('dnsPolicy'))
  validateLabels(spec.nodeSelector, errors.at('nodeSelector'))
  validatePodSecurityContext(spec, errors.at('securityContext'))
  validateAffinity(spec.affinity, errors.at('affinity'))
  validateDns(spec, errors.at('dnsConfig'))
  spec.readinessGates?.forEach(({ conditionType }, index) => {
    errors.at('readinessGates').index(index).at('conditionType').invalidEach(conditionType, isQualifiedName(conditionType))
  })
  validateSchedulingGates(spec, errors.at('schedulingGates'))
  validateSpread(spec.topologySpreadConstraints, errors.at('topologySpreadConstraints'))
  validateHostProcess(spec, errors)
  validateHostUsers(spec, errors)
  validateHostnameOverride(spec, errors)
  validateNames(spec, errors)
  validateNumbers(spec, errors)
  validateTolerations(spec.tolerations, errors.at('tolerations'))
  spec.hostAliases?.forEach(({ ip, hostnames = [] }, index) => {
    const at = errors.at('hostAliases').index(index)
    validateIP(ip, at.at('ip'))
    hostnames.forEach((name, position) => {
      at.at('hostnames').index(position).invalidEach(name, isDNS1123Subdomain(name))
    })
  })
  if (spec.overhead) validateContainerResources({ limits: spec.overhead }, new Set(), errors.at('overhead'))
  validateOs(spec, errors)
}

function validateNames(spec: PodSpec, errors: FieldErrors): void {
  for (const name of ['serviceAccountName', 'nodeName', 'priorityClassName'] as const) {
    const value = spec[name]
    if (value) errors.at(name).invalidEach(value, nameIsDNSSubdomain(value, false))
  }
  if (spec.runtimeClassName !== undefined) {
    errors.at('runtimeClassName').invalidEach(spec.runtimeClassName, nameIsDNSSubdomain(spec.runtimeClassName, false))
  }
  for (const name of ['hostname', 'subdomain'] as const) {
    const value = spec[name]
    if (value) errors.at(name).invalidEach(value, isDNS1123Label(value))
  }
  if (spec.preemptionPolicy !== undefined) {
    validateWord(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], errors.at('preemptionPolicy'))
  }
}

function validateNumbers({ activeDeadlineSeconds: deadline }: PodSpec, errors: FieldErrors): void {
  if (deadline !== undefined) errors.at('activeDeadlineSeconds').invalidEach(deadline, isInRange(deadline, 1, 2147483647))
}

function validateResourceClaims(claims: readonly PodResourceClaim[] | undefined, errors: FieldErrors): void {
  const names = new Set<string>()
  claims?.forEach((claim, index) => {
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    const at = errors.index(index)
    if (name === '') at.at('name').required()
    else if (names.has(name)) at.at('name').duplicate(name)
    else at.at('name').invalidEach(name, isDNS1123Label(name))
    names.add(name)
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      at.invalid(internal(claim), 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified')
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      at.invalid(internal(claim), 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`')
    }
    for (const key of ['resourceClaimName', 'resourceClaimTemplateName'] as const) {
      const value = claim[key]
      if (value !== undefined) at.at(key).invalidEach(value, nameIsDNSSubdomain(value, false))
    }
  })
}

/** Amounts for the pod as a whole leave room for those of its containers. */
function validateWholePod(spec: PodSpec, claims: ReadonlySet<string>, errors: FieldErrors): void {
  const { resources } = spec
  if (!resources) return
  validatePodResources(resources, claims, errors)
  for (const [name, amount] of [...containerRequests({ spec })].sort()) {
    const own = Quantity.parse(resources.requests?.[name] ?? '0')
    if (amount.compare(own) > 0) {
      const detail = `must be greater than or equal to aggregate container requests of ${amount.toString()}`
      errors.at('requests').key(name).invalid(own.toString(), detail)
    }
  }
  spec.containers.forEach((container, index) => {
    for (const [name, limit] of sortedEntries(container.resources.limits)) {
      const own = resources.limits?.[name]
      if (own === undefined || Quantity.parse(limit).compare(Quantity.parse(own)) <= 0) continue
      errors.at('containers').index(index).key(name).at('limits').invalid(limit, `must be less than or equal to pod limits of ${own}`)
    }
  })
}

/** On the node's network a container's port is the node's. */
function validateHostNetwork(spec: PodSpec, isPod: boolean, errors: FieldErrors): void {
  if (!spec.hostNetwork) return
  spec.containers.forEach((container, index) => {
    container.ports?.forEach(({ hostPort = 0, containerPort }, position) => {
      if (hostPort === containerPort || (!isPod && hostPort === 0)) return
      const at = errors.at('containers').index(index).at('ports').index(position).at('hostPort')
      at.invalid(hostPort, 'must match `containerPort` when `hostNetwork` is true')
    })
  })
}

function validateDns({ dnsPolicy, dnsConfig }: PodSpec, errors: FieldErrors): void {
  const nameservers = dnsConfig?.nameservers ?? []
  if (dnsPolicy === 'None') {
    if (!dnsConfig) {
      errors.required('must provide `dnsConfig` when `dnsPolicy` is None')
      return
    }
    if (nameservers.length === 0) {
      errors.at('nameservers').required('must provide at least one DNS nameserver when `dnsPolicy` is None')
      return
    }
  }
  if (nameservers.length > 3) errors.at('nameservers').invalid(nameservers, 'must not have more than 3 nameservers')
  nameservers.forEach((address, index) => {
    validateIP(address, errors.at('nameservers').index(index))
  })
  const searches = dnsConfig?.searches ?? []
  if (searches.length > 32) errors.at('searches').invalid(searches, 'must not have more than 32 search paths')
  if (searches.join(' ').length > 2048) {
    errors.at('searches').invalid(searches, 'must not have more than 2048 characters (including spaces) in the search list')
  }
  searches.forEach((search, index) => {
    if (search === '.') return
    const domain = search.endsWith('.') ? search.slice(0, -1) : search
    errors.at('searches').index(index).invalidEach(domain, isDNS1123SubdomainWithUnderscore(domain))
  })
  dnsConfig?.options?.forEach(({ name = '' }, index) => {
    if (name === '') errors.at('options').index(index).required('must not be empty')
  })
}

function validateSchedulingGates({ schedulingGates }: PodSpec, errors: FieldErrors): void {
  const seen = new Set<string>()
  schedulingGates?.forEach(({ name }, index) => {
    errors.index(index).invalidEach(name, isQualifiedName(name))
    if (seen.has(name)) errors.index(index).duplicate(name)
    seen.add(name)
  })
}

/** Users of its own don't go with namespaces of the node. */
function validateHostUsers({ hostUsers, hostNetwork, hostPID, hostIPC }: PodSpec, errors: FieldErrors): void {
  if (hostUsers !== false) return
  const detail = 'when `hostUsers` is false'
  if (hostNetwork) errors.at('hostNetwork').forbidden(detail)
  if (hostPID) errors.at('hostPID').forbidden(detail)
  if (hostIPC) errors.at('hostIPC').forbidden(detail)
}

function validateHostnameOverride({ hostnameOverride, setHostnameAsFQDN, hostNetwork }: PodSpec, errors: FieldErrors): void {
  if (hostnameOverride === undefined) return
  const at = errors.at('hostnameOverride')
  at.invalidEach(hostnameOverride, isDNS1123Subdomain(hostnameOverride))
  if (hostnameOverride.length > 64) at.tooLong(64)
  if (setHostnameAsFQDN) at.forbidden('may not be specified when `setHostnameAsFQDN` is true')
  if (hostNetwork) at.forbidden('may not be specified when `hostNetwork` is true')
}

/** Fields that mean nothing on the operating system which the pod says it is for. */
function validateOs(spec: PodSpec, errors: FieldErrors): void {
  const { os, securityContext } = spec
  if (!os) return
  const name: string = os.name
  if (name === '') {
    errors.at('os').at('name').required('cannot be empty')
    return
  }
  if (name !== 'linux' && name !== 'windows') {
    errors.at('os').notSupported(name, ['linux', 'windows'])
    return
  }
  const detail = name === 'linux' ? 'windows options cannot be set for a linux pod' : 'cannot be set for a windows pod'
  const podFields = name === 'linux' ? (['windowsOptions'] as const) : LINUX_POD_FIELDS
  const fields = name === 'linux' ? (['windowsOptions'] as const) : LINUX_CONTAINER_FIELDS
  for (const field of podFields) if (securityContext[field] !== undefined) errors.at('securityContext').at(field).forbidden(detail)
  if (name === 'windows') {
    for (const field of ['hostUsers', 'shareProcessNamespace'] as const) if (spec[field] !== undefined) errors.at(field).forbidden(detail)
    for (const field of ['hostPID', 'hostIPC'] as const) if (spec[field]) errors.at(field).forbidden(detail)
  }
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    spec[list]?.forEach((container, index) => {
      const context: SecurityContext | undefined = container.securityContext
      for (const field of fields)
        if (context?.[field] !== undefined) errors.at(list).index(index).at('securityContext').at(field).forbidden(detail)
    })
  }
}

const LINUX_POD_FIELDS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const
const LINUX_CONTAINER_FIELDS = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const
