import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'

/*
 * Recorded answers of upstream's API server, replayed against ours on the embedded store, with our controller manager. The folder of cases is
 * named by T8S_ORACLE; where there is none, nothing is replayed, and that is said.
 *
 * Cases that fail are listed in oracle-exceptions.json with the reason: every case that is not on the list has to pass. Many of them wait for
 * each other's objects with deadlines, so what fails is tried once more by itself before it counts.
 */

const oracle = process.env['T8S_ORACLE']
const root = fileURLToPath(new URL('../..', import.meta.url))
const exceptions = JSON.parse(readFileSync(new URL('./oracle-exceptions.json', import.meta.url), 'utf8')) as Exceptions
const PORT = 46_411

interface Exceptions {
  /** Areas that are not replayed at all, each with the reason. */
  readonly areas: Readonly<Record<string, string>>
  /** Cases that may fail, as AREA/NAME, each with the reason. */
  readonly cases: Readonly<Record<string, string>>
}

interface Report {
  readonly total: number
  readonly passed: number
  readonly cases: readonly { readonly name: string; readonly area: string; readonly pass: boolean }[]
}

if (!oracle || !existsSync(oracle)) {
  console.warn('T8S_ORACLE names no folder: 0 recorded cases were replayed')
  describe.skip('the recorded answers of upstream', () => it('are replayed', () => {}))
} else {
  describe('the recorded answers of upstream', () => {
    const directory = mkdtempSync(join(tmpdir(), 't8s-oracle-'))
    const environment = {
      KAS: join(root, 'bin/kube-apiserver'),
      KCM: join(root, 'bin/kube-controller-manager'),
      ETCD: 'none',
      PORT: String(PORT),
    }
    const server = (...args: string[]) => run(join(oracle, 'server.sh'), args, { env: environment, timeoutMs: 120_000 })
    let report: Report

    /** Replays cases, those of `only` or of all areas that are not left out. */
    const replay = async (only: readonly string[] = []): Promise<Report> => {
      const file = join(directory, 'report.json')
      const areas = Object.keys(exceptions.areas).map(area => `!${area}`)
      const args = ['check', '--server', `https://127.0.0.1:${PORT}`, '--token', 'admin-token', '--ca', join(directory, 'ca.crt')]
      const cases = ['--cases', join(oracle, 'cases'), '--expected', join(oracle, 'expected'), '--jobs', '4', '--json', file]
      const chosen = only.length > 0 ? ['--only', only.join(',')] : areas.length > 0 ? ['--area', areas.join(',')] : []
      await run(process.execPath, [join(oracle, 'run.mjs'), ...args, ...cases, ...chosen], { allowCodes: [0, 1], timeoutMs: 560_000 })
      return JSON.parse(readFileSync(file, 'utf8')) as Report
    }

    beforeAll(async () => {
      await server('start', directory)
      report = await replay()
      console.log(
        `oracle: ${report.passed} of ${report.total} recorded cases pass; areas left out: ${Object.keys(exceptions.areas).join(', ') || 'none'}`,
      )
    }, 700_000)

    afterAll(async () => {
      await server('stop', directory)
      rmSync(directory, { recursive: true, force: true })
    })

    it('are ours too, but for those on the list', async () => {
      const unlisted = ({ cases }: Report) =>
        cases.filter(({ pass, area, name }) => !pass && !Object.hasOwn(exceptions.cases, `${area}/${name}`)).map(({ name }) => name)
      const failing = unlisted(report)
      expect(failing.length === 0 ? [] : unlisted(await replay(failing))).toEqual([])
    }, 300_000)
  })
}
