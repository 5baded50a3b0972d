import { fileURLToPath } from 'node:url'
import { run } from '#base/process/run.ts'

/** Before the integration tests: builds the programs of bin/ from what is there now, so that none of an earlier day is tried. */
export default async function setup(): Promise<void> {
  await run(process.execPath, [fileURLToPath(new URL('../../tools/build.mjs', import.meta.url)), '--programs'], { timeoutMs: 120_000 })
}
