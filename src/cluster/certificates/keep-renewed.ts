import { X509Certificate } from 'node:crypto'
import type { Logger } from '#base/log/logger.ts'
import type { Credential } from '#base/pki/certificate-authority.ts'
import { type Clock, every } from '#base/time/clock.ts'

export interface RenewalOptions<Certificates> {
  readonly clock: Clock
  readonly log: Logger
  /** The certificates in use. */
  readonly present: Certificates
  /** Reads them again, and makes those anew that end soon. */
  read(): Promise<Certificates>
  /** Has new ones used. */
  use(renewed: Certificates): void | Promise<void>
  /** PEM of the authorities, which are not renewed by themselves, by name. */
  readonly authorities: Readonly<Record<string, string>>
}

const PERIOD_MS = 86_400_000
/** An authority that ends sooner is warned about: exchanging one takes time. */
const WARNING_DAYS = 180

/** Looks once a day whether certificates end soon, and has them made anew and used while the process runs on. Dispose to end it. */
export function keepRenewed<Certificates>(options: RenewalOptions<Certificates>): Disposable {
  const { clock, log, authorities } = options
  let present = JSON.stringify(options.present)
  warnOfEnds(authorities, clock, log)
  return every(clock, PERIOD_MS, async () => {
    warnOfEnds(authorities, clock, log)
    try {
      const renewed = await options.read()
      const text = JSON.stringify(renewed)
      if (text === present) return
      await options.use(renewed)
      present = text
      log.info('certificates were about to end and have been renewed')
    } catch (error) {
      log.error('certificates could not be renewed; it is tried again in a day', { error: (error as Error).message })
    }
  })
}

function warnOfEnds(authorities: Readonly<Record<string, string>>, clock: Clock, log: Logger): void {
  for (const [authority, pem] of Object.entries(authorities)) {
    const days = daysLeft(pem, clock)
    if (days > WARNING_DAYS) continue
    const until = new Date(new X509Certificate(pem).validTo).toISOString().slice(0, 10)
    if (days > 0) log.warn('an authority of the cluster ends soon: everything it signed ends with it', { authority, until, days })
    else log.error('an authority of the cluster has ended: nothing it signed is believed any more', { authority, until })
  }
}

/** How many days a certificate is still good for; 0 or less once it has ended. */
export function daysLeft(pem: string, clock: Clock): number {
  return Math.floor((Date.parse(new X509Certificate(pem).validTo) - clock.now()) / 86_400_000)
}

/** A credential that is exchanged while it is in use: who reads it for each connection has the newest. */
export function newestCredential(read: () => Credential): Credential {
  return {
    get certificate() {
      return read().certificate
    },
    get privateKey() {
      return read().privateKey
    },
  }
}
