import { isConfigMapKey, isEnvVarName } from '#machinery/meta/formats.ts'
import { nameIsDNSSubdomain } from '#machinery/meta/names.ts'
import type { FieldErrors } from '#machinery/status/field-errors.ts'
import type { EnvFromSource, EnvVar, EnvVarSource, FileKeySelector } from './env-var.ts'
import { validateFieldRef, validateResourceRef } from './field-ref.rules.ts'
import { validateFilePath } from './path.rules.ts'
import type { Volume } from './volume.ts'

/** The environment of a container. */
export function validateEnv(env: readonly EnvVar[] | undefined, volumes: ReadonlyMap<string, Volume>, errors: FieldErrors): void {
  env?.forEach(({ name, value = '', valueFrom }, index) => {
    const at = errors.index(index)
    if (name === '') at.at('name').required()
    else at.at('name').invalidEach(name, isEnvVarName(name))
    if (valueFrom) validateSource(valueFrom, value, volumes, at.at('valueFrom'))
  })
}

function validateSource(source: EnvVarSource, value: string, volumes: ReadonlyMap<string, Volume>, errors: FieldErrors): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source
  if (fieldRef) validateFieldRef(fieldRef, ENV_FIELDS, errors.at('fieldRef'))
  if (resourceFieldRef) validateResourceRef(resourceFieldRef, false, errors.at('resourceFieldRef'))
  if (configMapKeyRef) validateKeyRef(configMapKeyRef, errors.at('configMapKeyRef'))
  if (secretKeyRef) validateKeyRef(secretKeyRef, errors.at('secretKeyRef'))
  if (fileKeyRef) validateFileKeyRef(fileKeyRef, volumes, errors.at('fileKeyRef'))
  const count = Object.values(source).filter(part => part !== undefined).length
  if (count === 0) {
    errors.invalid('', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`')
  } else if (value !== '') errors.invalid('', 'may not be specified when `value` is not empty')
  else if (count > 1) errors.invalid('', 'may not have more than one field specified at a time')
}

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

function validateKeyRef({ name = '', key }: { readonly name?: string | undefined; readonly key: string }, errors: FieldErrors): void {
  errors.at('name').invalidEach(name, nameIsDNSSubdomain(name, false))
  if (key === '') errors.at('key').required()
  else errors.at('key').invalidEach(key, isConfigMapKey(key))
}

function validateFileKeyRef({ volumeName, path, key }: FileKeySelector, volumes: ReadonlyMap<string, Volume>, errors: FieldErrors): void {
  if (key === '') errors.at('key').required()
  else errors.at('key').invalidEach(key, isEnvVarName(key))
  if (volumeName === '') errors.at('volumeName').required()
  else if (!volumes.has(volumeName)) errors.at('volumeName').notFound(volumeName)
  else if (!volumes.get(volumeName)?.emptyDir) errors.at('volumeName').invalid(volumeName, 'must be an emptyDir volume')
  if (path === '') errors.at('path').required()
  else validateFilePath(path, errors.at('path'))
}

/** Whole objects as variables. */
export function validateEnvFrom(sources: readonly EnvFromSource[] | undefined, errors: FieldErrors): void {
  sources?.forEach(({ prefix = '', configMapRef, secretRef }, index) => {
    const at = errors.index(index)
    if (prefix !== '') at.at('prefix').invalidEach(prefix, isEnvVarName(prefix))
    for (const [name, ref] of [
      ['configMapRef', configMapRef],
      ['secretRef', secretRef],
    ] as const) {
      if (!ref) continue
      if (!ref.name) at.at(name).at('name').required()
      else at.at(name).at('name').invalidEach(ref.name, nameIsDNSSubdomain(ref.name, true))
    }
    if (!configMapRef && !secretRef) errors.invalid('', 'must specify one of: `configMapRef` or `secretRef`')
    else if (configMapRef && secretRef) errors.invalid('', 'may not have more than one field specified at a time')
  })
}
