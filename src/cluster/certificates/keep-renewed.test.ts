import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '#base/log/logger.ts'
import { certificateAuthority, newAuthority } from '#base/pki/certificate-authority.ts'
import { virtualClock } from '#base/time/virtual-clock.ts'
import { certificateFiles } from './certificate-files.ts'
import { daysLeft, keepRenewed } from './keep-renewed.ts'

const DAY_MS = 86_400_000
let directory: string
let told: string[]
const log: Logger = {
  ...silentLogger,
  info: message => told.push(message),
  warn: (message, fields) => told.push(`${message} ${fields?.['authority']} in ${fields?.['days']} days`),
  error: (message, fields) => told.push(`${message} (${fields?.['authority'] ?? fields?.['error']})`),
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 't8s-renewal-'))
  told = []
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A process that shows one certificate and runs on, with an authority of so many days. */
async function start(authorityDays = 3650) {
  const clock = virtualClock()
  const files = certificateFiles(directory, clock)
  const credential = await files.keep('ca', () => newAuthority(clock, 'ca', authorityDays * 86_400))
  const authority = certificateAuthority(clock, credential)
  const subject = { commonName: 'server', dnsNames: ['localhost'], usages: ['server'] } as const
  const read = () => files.issue('server', authority, subject)
  const test = {
    clock,
    shown: await read(),
    fails: false,
    renewals: 0,
    advanceDays: async (days: number) => {
      for (let day = 0; day < days; day++) {
        await test.clock.advance(DAY_MS)
        // What is made anew takes its time outside of the clock.
        while (clock.pending() === 0) await new Promise(resolve => setImmediate(resolve))
      }
    },
    [Symbol.dispose]: () => renewal[Symbol.dispose](),
  }
  const renewal = keepRenewed({
    clock,
    log,
    present: test.shown,
    read: async () => {
      if (test.fails) throw new Error('the disk is full')
      return read()
    },
    use: renewed => {
      test.shown = renewed
      test.renewals++
    },
    authorities: { ca: credential.certificate },
  })
  return test
}

describe('a process that runs on', () => {
  it('shows a certificate that is good, for years', async () => {
    using test = await start()
    const first = new X509Certificate(test.shown.certificate).serialNumber
    for (let month = 0; month < 30; month++) {
      await test.advanceDays(30)
      expect(daysLeft(test.shown.certificate, test.clock)).toBeGreaterThanOrEqual(29)
    }
    expect(test.renewals).toBe(2)
    expect(new X509Certificate(test.shown.certificate).serialNumber).not.toBe(first)
    expect(told).toEqual(Array(2).fill('certificates were about to end and have been renewed'))
  })

  it('tries again the next day when a certificate could not be made', async () => {
    using test = await start()
    await test.advanceDays(330)
    test.fails = true
    await test.advanceDays(10)
    expect(test.renewals).toBe(0)
    expect(new Set(told)).toEqual(new Set(['certificates could not be renewed; it is tried again in a day (the disk is full)']))
    test.fails = false
    await test.advanceDays(1)
    expect(test.renewals).toBe(1)
  })

  it('warns when an authority ends within half a year, and says when it has ended', async () => {
    using test = await start(200)
    await test.advanceDays(15)
    expect(told).toEqual([])
    await test.advanceDays(10)
    expect(told[0]).toBe('an authority of the cluster ends soon: everything it signed ends with it ca in 180 days')
    await test.advanceDays(180)
    expect(told).toContain('an authority of the cluster has ended: nothing it signed is believed any more (ca)')
  })
})
