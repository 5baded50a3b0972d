import { createHash } from 'node:crypto'
import { Counter, Gauge, type Registry } from 'prom-client'
import { watchedFile } from '#base/files/watched-file.ts'
import type { Logger } from '#base/log/logger.ts'
import type { Clock } from '#base/time/clock.ts'

export interface ReloadedConfigOptions {
  readonly file: string
  /** What was read of it at the start. */
  readonly text: string
  /** As metrics name it: `apiserver_<what>_config_controller_…`. */
  readonly what: 'authentication' | 'authorization'
  /** Uses another text in the place of the one before. Rejects, and changes nothing, if it cannot be used. */
  readonly apply: (text: string) => Promise<void>
  readonly serverId: string
  readonly clock: Clock
  readonly log: Logger
  readonly registry: Registry
}

/** Follows a configuration file: what is right in it counts from then on, what is wrong is logged and the configuration before stays. */
export function reloadedConfig(options: ReloadedConfigOptions): Disposable {
  const { file, text, what, apply, serverId, clock, log, registry } = options
  const metrics = metricsOf(what, registry)
  const server = { apiserver_id_hash: hashOf(serverId) }
  const shows = (content: string) => {
    metrics.info.reset()
    metrics.info.set({ ...server, hash: hashOf(content) }, 1)
  }
  shows(text)
  return watchedFile(file, text, clock, async content => {
    const status = await apply(content).then(
      () => 'success',
      (error: unknown) => {
        log.error(`the ${what} configuration cannot be used: the one before stays`, { file, error: (error as Error).message })
        return 'failure'
      },
    )
    if (status === 'success') {
      log.info(`the ${what} configuration was read again`, { file })
      shows(content)
    }
    metrics.reloads.inc({ status, ...server })
    metrics.time.set({ status, ...server }, clock.now() / 1000)
  })
}

function metricsOf(what: string, registry: Registry) {
  const prefix = `apiserver_${what}_config_controller`
  const registers = [registry]
  return {
    reloads: new Counter({
      name: `${prefix}_automatic_reloads_total`,
      help: `How often the ${what} configuration was read again.`,
      labelNames: ['status', 'apiserver_id_hash'],
      registers,
    }),
    time: new Gauge({
      name: `${prefix}_automatic_reload_last_timestamp_seconds`,
      help: `When the ${what} configuration was last read again.`,
      labelNames: ['status', 'apiserver_id_hash'],
      registers,
    }),
    info: new Gauge({
      name: `${prefix}_last_config_info`,
      help: `The digest of the ${what} configuration that counts.`,
      labelNames: ['apiserver_id_hash', 'hash'],
      registers,
    }),
  }
}

function hashOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}
