import type { HealthCheck } from '../discovery/health.ts'
import { aesCbc } from './aes-cbc.ts'
import { aesGcm } from './aes-gcm.ts'
import {
  type EncryptionConfiguration,
  groupResourceOf,
  type NamedKey,
  type ProviderConfiguration,
  parseEncryptionConfiguration,
} from './encryption-configuration.ts'
import type { KmsTransformer } from './kms/kms-transformer.ts'
import { secretbox } from './secretbox.ts'
import { identity, type PrefixedTransformer, PrefixTransformers, type ValueTransformer } from './transformer.ts'

/** How values are kept: which transformer, by group and resource. */
export interface Encryption {
  /** Undefined: values are kept as they are. It may be another one the next time. */
  transformerOf(group: string, resource: string): ValueTransformer | undefined
  /** Calls back once what could not be read before may be readable. */
  onChange(callback: () => void): void
  /** What `/healthz`, `/livez` and `/readyz` say of key management services. */
  readonly healthChecks: readonly HealthCheck[]
  stop(): void
}

export interface EncryptionOptions {
  /** The text of an EncryptionConfiguration. */
  readonly configuration: string
  /** Connects to a key management service. */
  readonly kms: (provider: Extract<ProviderConfiguration, { type: 'kms' }>) => KmsTransformer
  /** Whether another configuration may come: then its services are one health check, as upstream has it. */
  readonly reloads: boolean
}

interface Loaded {
  readonly transformers: ReadonlyMap<string, ValueTransformer>
  readonly services: readonly KmsTransformer[]
}

/** Encryption at rest as an EncryptionConfiguration says it. */
export class ConfiguredEncryption implements Encryption {
  readonly #options: EncryptionOptions
  readonly #callbacks: (() => void)[] = []
  #loaded: Loaded
  readonly healthChecks: readonly HealthCheck[]

  /** Throws with what is wrong with the configuration. */
  constructor(options: EncryptionOptions) {
    this.#options = options
    this.#loaded = this.#load(options.configuration)
    const one = { name: 'kms-providers', check: () => firstProblem(this.#loaded.services) }
    const each = this.#loaded.services.map((service, index) => ({ name: `kms-provider-${index}`, check: () => service.problem() }))
    this.healthChecks = options.reloads ? [one] : each
  }

  transformerOf(group: string, resource: string): ValueTransformer | undefined {
    const { transformers } = this.#loaded
    return transformers.get(`${resource}.${group}`) ?? transformers.get(`*.${group}`) ?? transformers.get('*.*')
  }

  /** Resolves once each key management service has answered, or failed to. */
  async ready(): Promise<void> {
    await Promise.all(this.#loaded.services.map(service => service.ready()))
  }

  /** Takes another configuration from now on; throws, and leaves everything as it is, if it is wrong or a service of it does not answer. */
  async reload(configuration: string): Promise<void> {
    const next = this.#load(configuration)
    await Promise.all(next.services.map(service => service.ready()))
    const problem = firstProblem(next.services)
    if (problem) {
      for (const service of next.services) service.stop()
      throw new Error(problem)
    }
    const old = this.#loaded
    this.#loaded = next
    for (const service of old.services) service.stop()
    for (const callback of this.#callbacks) callback()
  }

  onChange(callback: () => void): void {
    this.#callbacks.push(callback)
  }

  stop(): void {
    for (const service of this.#loaded.services) service.stop()
  }

  #load(text: string): Loaded {
    const services: KmsTransformer[] = []
    const connect: EncryptionOptions['kms'] = provider => {
      const service = this.#options.kms(provider)
      service.onRecovery(() => {
        for (const callback of this.#callbacks) callback()
      })
      services.push(service)
      return service
    }
    return { transformers: transformersOf(parseEncryptionConfiguration(text), connect), services }
  }
}

/** By `resource.group`. */
function transformersOf({ resources }: EncryptionConfiguration, connect: EncryptionOptions['kms']): Map<string, ValueTransformer> {
  const lists = new Map<string, PrefixedTransformer[]>()
  for (const { resources: names, providers } of resources) {
    const transformers = providers.map(provider => transformerOf(provider, connect))
    for (const name of names) {
      const { group, resource } = groupResourceOf(name)
      const masking = [`*.${group}`, '*.*'].find(rule => rule !== `${resource}.${group}` && lists.has(rule))
      if (masking) throw new Error(`resource ${JSON.stringify(name)} is masked by earlier rule ${JSON.stringify(masking)}`)
      const id = `${resource}.${group}`
      lists.set(id, [...(lists.get(id) ?? []), ...transformers])
    }
  }
  return new Map([...lists].map(([id, all]) => [id, new PrefixTransformers(all, 'no matching prefix found')]))
}

function transformerOf(provider: ProviderConfiguration, connect: EncryptionOptions['kms']): PrefixedTransformer {
  switch (provider.type) {
    case 'identity':
      return { prefix: '', transformer: identity }
    case 'kms':
      return { prefix: `k8s:enc:kms:v2:${provider.name}:`, transformer: connect(provider) }
    case 'secretbox':
      return withKeys('k8s:enc:secretbox:v1:', 'Secretbox', provider.keys, secretbox)
    case 'aescbc':
      return withKeys('k8s:enc:aescbc:v1:', 'AES', provider.keys, aesCbc)
    case 'aesgcm':
      return withKeys('k8s:enc:aesgcm:v1:', 'AES', provider.keys, aesGcm)
  }
}

function withKeys(
  prefix: string,
  title: string,
  keys: readonly NamedKey[],
  make: (secret: Buffer) => ValueTransformer,
): PrefixedTransformer {
  const all = keys.map(({ name, secret }) => ({ prefix: `${name}:`, transformer: make(secret) }))
  return { prefix, transformer: new PrefixTransformers(all, `no matching key was found for the provided ${title} transformer`) }
}

function firstProblem(services: readonly KmsTransformer[]): string | undefined {
  return services.map(service => service.problem()).find(problem => problem !== undefined)
}
