import type { ConfigMap } from '#kinds/core/v1/config-map.ts'
import type { Container } from '#kinds/core/v1/container.ts'
import type { EnvFromSource, EnvVarSource } from '#kinds/core/v1/env-var.ts'
import type { EphemeralContainer } from '#kinds/core/v1/ephemeral-container.ts'
import type { PersistentVolume } from '#kinds/core/v1/persistent-volume.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Secret } from '#kinds/core/v1/secret.ts'
import type { Service } from '#kinds/core/v1/service.ts'
import { expand } from './expansion.ts'
import { fieldOf, type RunningFacts, resourceFieldOf } from './pod-fields.ts'
import { namespaceOf } from './pod-names.ts'
import { serviceVariables } from './service-variables.ts'

/** Where the objects are looked up that a pod refers to; rejects with NotFound when there is none. */
export interface PodReferences {
  configMap(namespace: string, name: string): Promise<ConfigMap>
  secret(namespace: string, name: string): Promise<Secret>
  claim(namespace: string, name: string): Promise<PersistentVolumeClaim>
  persistentVolume(name: string): Promise<PersistentVolume>
  services(): readonly Service[]
}

/** A container cannot be made because of what its pod says or refers to; `reason` is what its status shows. */
export class ContainerConfigError extends Error {
  readonly reason: string

  constructor(message: string, reason = 'CreateContainerConfigError') {
    super(message)
    this.name = 'ContainerConfigError'
    this.reason = reason
  }
}

/** A container's variables: those of the Services first, then `envFrom`, then `env`, each able to use what came before as `$(NAME)`. */
export async function environmentOf(
  pod: Pod,
  container: Container | EphemeralContainer,
  references: PodReferences,
  running: RunningFacts,
): Promise<Map<string, string>> {
  const namespace = namespaceOf(pod)
  const services = serviceVariables(references.services(), namespace, pod.spec.enableServiceLinks ?? true)
  const variables = new Map<string, string>()
  const lookup = (name: string) => variables.get(name) ?? services.get(name)
  for (const source of container.envFrom ?? []) {
    for (const [key, value] of Object.entries(await dataOf(source, namespace, references)))
      variables.set(`${source.prefix ?? ''}${key}`, value)
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom ? await sourceValueOf(valueFrom, pod, container, references, running) : expand(value ?? '', lookup)
    if (found !== undefined) variables.set(name, found)
  }
  return new Map([...services].filter(([name]) => !variables.has(name)).concat([...variables]))
}

async function dataOf(source: EnvFromSource, namespace: string, references: PodReferences): Promise<Record<string, string>> {
  if (source.configMapRef) {
    const found = await lookUp(
      () => references.configMap(namespace, source.configMapRef!.name ?? ''),
      source.configMapRef.optional,
      `configmap "${source.configMapRef.name}" not found`,
    )
    return { ...found?.data }
  }
  if (source.secretRef) {
    const found = await lookUp(
      () => references.secret(namespace, source.secretRef!.name ?? ''),
      source.secretRef.optional,
      `secret "${source.secretRef.name}" not found`,
    )
    return Object.fromEntries(Object.entries(found?.data ?? {}).map(([key, value]) => [key, decoded(value)]))
  }
  return {}
}

async function sourceValueOf(
  from: EnvVarSource,
  pod: Pod,
  container: Container | EphemeralContainer,
  references: PodReferences,
  running: RunningFacts,
): Promise<string | undefined> {
  const namespace = namespaceOf(pod)
  if (from.fieldRef) return fieldOf(pod, from.fieldRef.fieldPath, running)
  if (from.resourceFieldRef) return resourceFieldOf(pod, from.resourceFieldRef, container, running)
  if (from.configMapKeyRef) {
    const { name = '', key, optional } = from.configMapKeyRef
    const found = await lookUp(() => references.configMap(namespace, name), optional, `configmap "${name}" not found`)
    const value = found?.data?.[key]
    if (value === undefined && !optional) throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`)
    return value
  }
  if (from.secretKeyRef) {
    const { name = '', key, optional } = from.secretKeyRef
    const found = await lookUp(() => references.secret(namespace, name), optional, `secret "${name}" not found`)
    const value = found?.data?.[key]
    if (value === undefined && !optional) throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`)
    return value === undefined ? undefined : decoded(value)
  }
  throw new ContainerConfigError('env: valueFrom has a source that this kubelet does not know (fileKeyRef)')
}

async function lookUp<T>(get: () => Promise<T>, optional: boolean | undefined, missing: string): Promise<T | undefined> {
  try {
    return await get()
  } catch (error) {
    const isMissing = (error as { code?: unknown }).code === 404
    if (isMissing && optional) return undefined
    throw new ContainerConfigError(isMissing ? missing : (error as Error).message)
  }
}

const decoded = (base64: string) => Buffer.from(base64, 'base64').toString('utf8')
