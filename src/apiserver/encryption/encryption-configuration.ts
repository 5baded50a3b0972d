import { parseYaml } from '#machinery/codec/yaml/parse-yaml.ts'
import { durationMs } from '#machinery/duration/duration.ts'
import { textOfAll } from '#machinery/status/field-error.ts'
import { FieldErrors } from '#machinery/status/field-errors.ts'
import { quote } from '#machinery/status/go-text.ts'

/** Upstream's file for `--encryption-provider-config` (apiserver.config.k8s.io/v1 EncryptionConfiguration), checked. */
export interface EncryptionConfiguration {
  readonly resources: readonly ResourceConfiguration[]
}

export interface ResourceConfiguration {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` for the core group, `*.*` for everything. */
  readonly resources: readonly string[]
  /** The first writes, all read. */
  readonly providers: readonly ProviderConfiguration[]
}

export type ProviderConfiguration =
  | { readonly type: 'aescbc' | 'aesgcm' | 'secretbox'; readonly keys: readonly NamedKey[] }
  | { readonly type: 'kms'; readonly name: string; readonly endpoint: string; readonly timeoutMs: number }
  | { readonly type: 'identity' }

export interface NamedKey {
  readonly name: string
  readonly secret: Buffer
}

const KMS_TIMEOUT = '3s'
const AES_KEY_BYTES = [16, 24, 32]
const SECRETBOX_KEY_BYTES = [32]
const TYPES = ['kms', 'aesgcm', 'aescbc', 'secretbox', 'identity'] as const

/** Reads and checks the text of the file; what is wrong is said in upstream's words. */
export function parseEncryptionConfiguration(text: string): EncryptionConfiguration {
  const file = parseYaml(text) as Loose
  if (!isObject(file)) throw new Error('the file is empty or no object')
  const { apiVersion, kind } = file
  if (kind !== 'EncryptionConfiguration' || apiVersion !== 'apiserver.config.k8s.io/v1') {
    throw new Error(
      `got unexpected config type: ${apiVersion ?? ''}, Kind=${kind ?? ''}; it has to be apiserver.config.k8s.io/v1, Kind=EncryptionConfiguration`,
    )
  }
  const errors = new FieldErrors()
  const configuration = readConfiguration(file, errors)
  if (!errors.isEmpty) throw new Error(textOfAll(errors.all))
  return configuration
}

type Loose = { readonly [key: string]: unknown }

function readConfiguration(file: Loose, errors: FieldErrors): EncryptionConfiguration {
  const at = errors.at('resources')
  const entries = listOf(file['resources'])
  if (entries.length === 0) at.required('at least one resources is required')
  const kmsNames = new Set<string>()
  return {
    resources: entries.map((entry, index) => {
      const { resources, providers } = isObject(entry) ? entry : {}
      const names = listOf(resources).map(String)
      const here = at.index(index)
      if (names.length === 0) here.at('resources').required(`at least one resources[${index}].resources is required`)
      checkOverlap(names, here.at('resources'))
      checkNames(names, here.at('resources'))
      const found = listOf(providers)
      if (found.length === 0) here.at('providers').required(`at least one resources[${index}].providers is required`)
      return {
        resources: names,
        providers: found.flatMap((provider, number) => readProvider(provider, here.at('providers').index(number), kmsNames) ?? []),
      }
    }),
  }
}

/** Resource and group of a name such as `deployments.apps`; the core group's is ''. */
export function groupResourceOf(name: string): { readonly resource: string; readonly group: string } {
  const dot = name.indexOf('.')
  return dot < 0 ? { resource: name, group: '' } : { resource: name.slice(0, dot), group: name.slice(dot + 1) }
}

function checkOverlap(names: readonly string[], at: FieldErrors): void {
  const parsed = names.map(groupResourceOf)
  const pairs = parsed.flatMap((a, i) => parsed.filter((_, j) => i !== j).map(b => [a, b] as const))
  const isSame = pairs.some(([a, b]) => a.group === b.group && a.resource === b.resource)
  const isMasked = pairs.some(
    ([a, b]) =>
      (a.group === '*' && a.resource === '*') ||
      (a.group === b.group && (a.resource === '*' || b.resource === '*') && a.resource !== b.resource),
  )
  if (isSame) at.invalid(names, 'the same resource cannot be specified multiple times')
  if (isMasked)
    at.invalid(
      names,
      "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked",
    )
}

function checkNames(names: readonly string[], at: FieldErrors): void {
  for (const [index, name] of names.entries()) {
    const wrong = wrongName(name)
    if (wrong) at.index(index).invalid(name, wrong)
  }
}

function wrongName(name: string): string | undefined {
  const { group, resource } = groupResourceOf(name)
  if (name.toLowerCase() !== name) return 'resource name should not contain capital letters'
  if (name === '*') return "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources"
  if (['apiserveripinfo', 'serviceipallocations', 'servicenodeportallocations'].includes(name))
    return 'resources which do not have REST API/s cannot be encrypted'
  if (group === 'events.k8s.io')
    return "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file"
  if (group === 'extensions') return "'extensions' group has been removed and cannot be used for encryption"
  if (group === '*' && resource !== '*') return 'encrypting the same resource across groups is not supported'
  return undefined
}

function readProvider(provider: unknown, at: FieldErrors, kmsNames: Set<string>): ProviderConfiguration | undefined {
  const given = isObject(provider) ? TYPES.filter(type => isObject(provider[type])) : []
  const [type] = given
  if (!type || !isObject(provider)) {
    at.invalid(provider, 'provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity')
    return undefined
  }
  if (given.length > 1) {
    at.invalid(given, 'more than one provider specified in a single element, should split into different list elements')
    return undefined
  }
  const settings = provider[type] as Loose
  if (type === 'identity') return { type }
  if (type === 'kms') return readKms(settings, at.at('kms'), kmsNames)
  return { type, keys: readKeys(settings['keys'], at.at(type).at('keys'), type === 'secretbox' ? SECRETBOX_KEY_BYTES : AES_KEY_BYTES) }
}

function readKeys(keys: unknown, at: FieldErrors, lengths: readonly number[]): NamedKey[] {
  const found = listOf(keys)
  if (found.length === 0) at.required('at least one keys is required')
  return found.map((key, index) => {
    const { name = '', secret = '' } = isObject(key) ? key : {}
    const here = at.index(index)
    if (name === '') here.at('name').required('name is a mandatory field for a key')
    if (secret === '') here.at('secret').required('secret is a mandatory field for a key')
    const bytes = bytesOf(secret)
    // Never the secret itself: messages end in logs.
    if (!bytes) here.at('secret').invalid('REDACTED', 'secrets must be base64 encoded')
    else if (secret !== '' && !lengths.includes(bytes.length))
      here
        .at('secret')
        .invalid('REDACTED', `secret is not of the expected length, got ${bytes.length}, expected one of [${lengths.join(' ')}]`)
    return { name: String(name), secret: bytes ?? Buffer.alloc(0) }
  })
}

function readKms(kms: Loose, at: FieldErrors, names: Set<string>): ProviderConfiguration {
  const name = String(kms['name'] ?? '')
  const endpoint = String(kms['endpoint'] ?? '')
  const apiVersion = String(kms['apiVersion'] ?? 'v1')
  if (name === '') at.at('name').required('name is a mandatory field for a provider')
  if (name.includes(':')) at.at('name').invalid(name, `invalid KMS provider name ${name}, must not contain ':'`)
  if (names.has(name)) at.at('name').invalid(name, `duplicate KMS provider name ${name}, names must be unique`)
  names.add(name)
  const timeout = String(kms['timeout'] ?? KMS_TIMEOUT)
  const timeoutMs = durationOf(timeout)
  if (!(timeoutMs > 0)) at.at('timeout').invalid(timeout, 'timeout should be a positive value')
  if (endpoint === '') at.at('endpoint').invalid('', 'endpoint is a mandatory field for a kms')
  else if (!endpoint.startsWith('unix:'))
    at.at('endpoint').invalid(
      endpoint,
      `unsupported scheme ${quote(/^([a-z0-9+.-]*):/i.exec(endpoint)?.[1] ?? '')} for KMS provider, only unix is supported`,
    )
  if (kms['cachesize'] !== undefined && apiVersion === 'v2')
    at.at('cachesize').invalid(kms['cachesize'], 'cachesize is not supported in v2')
  if (apiVersion === 'v1') at.at('apiVersion').invalid(apiVersion, 'KMSv1 is disabled, as it is upstream: use v2')
  else if (apiVersion !== 'v2')
    at.at('apiVersion').invalid(apiVersion, 'unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported')
  return { type: 'kms', name, endpoint, timeoutMs }
}

/** Go's base64: padded, no other characters but line ends. */
function bytesOf(secret: unknown): Buffer | undefined {
  const text = String(secret).replace(/[\r\n]/g, '')
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

function durationOf(text: string): number {
  try {
    return durationMs(text)
  } catch {
    return Number.NaN
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
