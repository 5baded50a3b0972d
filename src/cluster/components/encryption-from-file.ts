import { readFileSync } from 'node:fs'
import { ConfiguredEncryption, type Encryption } from '#apiserver/encryption/encryption.ts'
import { kmsService } from '#apiserver/encryption/kms/kms-service.ts'
import { KmsTransformer } from '#apiserver/encryption/kms/kms-transformer.ts'
import type { Logger } from '#base/log/logger.ts'
import { watchFile } from '#base/process/watched-file.ts'
import type { Random } from '#base/random/random.ts'
import type { Clock } from '#base/time/clock.ts'

export interface EncryptionFileOptions {
  /** An EncryptionConfiguration. */
  readonly file: string
  /** Whether it is read again when it changes. One that is wrong is told of and changes nothing. */
  readonly reloads: boolean
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Encryption at rest as a file says it. Rejects if the file cannot be read or is wrong. */
export async function encryptionFromFile({ file, reloads, clock, random, log }: EncryptionFileOptions): Promise<Encryption> {
  const encryption = open(file, reloads, clock, random, log)
  await encryption.ready()
  if (!reloads) return encryption
  let last = Promise.resolve()
  const watching = watchFile(file, clock, text => {
    last = last
      .then(() => encryption.reload(text))
      .then(
        () => log.info('the encryption configuration was reloaded', { file }),
        (error: unknown) =>
          log.error('the encryption configuration is wrong: the one before stays', { file, error: (error as Error).message }),
      )
  })
  return {
    transformerOf: (group, resource) => encryption.transformerOf(group, resource),
    onChange: callback => encryption.onChange(callback),
    healthChecks: encryption.healthChecks,
    stop() {
      watching[Symbol.dispose]()
      encryption.stop()
    },
  }
}

function open(file: string, reloads: boolean, clock: Clock, random: Random, log: Logger): ConfiguredEncryption {
  try {
    return new ConfiguredEncryption({
      configuration: readFileSync(file, 'utf8'),
      reloads,
      kms: ({ name, endpoint, timeoutMs }) =>
        new KmsTransformer({ name, service: kmsService(endpoint, timeoutMs, clock), clock, random, log }),
    })
  } catch (error) {
    throw new Error(`--encryption-provider-config: ${file}: ${(error as Error).message}`, { cause: error })
  }
}
