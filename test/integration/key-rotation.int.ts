import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Kubectl, kubectlFor } from '../support/kubectl.ts'

/* The steps of docs/how-to/encrypt-at-rest.md, as somebody takes them: with an editor, kubectl and t8s. */

const folder = mkdtempSync(join(tmpdir(), 't8s-rotation-'))
const dataDir = join(folder, 'cluster')
const file = join(dataDir, 'encryption.yaml')
const launcher = join(import.meta.dirname, '../../bin/t8s')
const t8s = async (...args: string[]) => (await promisify(execFile)(launcher, [...args, '--data-dir', dataDir])).stdout
const up = () => t8s('up', '--nodes', '0', '--simulated-nodes', '1', '--port', '46571')
const secretOf = () => /secret: (\S+)/.exec(readFileSync(file, 'utf8'))![1]!
const keys = (...named: (readonly [name: string, secret: string])[]) => {
  const lines = named.map(([name, secret]) => `            - { name: ${name}, secret: ${secret} }\n`)
  const text = `apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n  - resources: [secrets]\n    providers:\n      - secretbox:\n          keys:\n${lines.join('')}`
  writeFileSync(`${file}.edited`, text, { mode: 0o600 })
  renameSync(`${file}.edited`, file)
}
let backups = 0
/** How many values of the store are encrypted with a key. */
const writtenWith = async (name: string) => {
  const backup = join(folder, `backup-${backups++}`)
  await t8s('store', 'backup', backup)
  return readFileSync(backup, 'latin1').split(`k8s:enc:secretbox:v1:${name}:`).length - 1
}
let kubectl: Kubectl

beforeAll(async () => {
  await up()
  kubectl = await kubectlFor(join(dataDir, 'kubeconfig'))
  for (let n = 0; n < 5; n++) await kubectl(`create secret generic s${n} --from-literal=password=hunter${n}`)
}, 120_000)
afterAll(async () => {
  await t8s('down', '--purge').catch(() => undefined)
  rmSync(folder, { recursive: true, force: true })
}, 60_000)

it('a key is rotated: a new one before the old one, everything written anew, the old one gone', async () => {
  const old = secretOf()
  const next = randomBytes(32).toString('base64')
  expect(await writtenWith('key1')).toBeGreaterThanOrEqual(5)

  keys(['key2', next], ['key1', old])
  let n = 0
  await expect
    .poll(
      async () => {
        await kubectl(`create secret generic new${n++} --from-literal=a=b`)
        return await writtenWith('key2')
      },
      { timeout: 30_000, interval: 200 },
    )
    .toBeGreaterThan(0)
  expect(await writtenWith('key1')).toBeGreaterThanOrEqual(5)

  const everything = await kubectl('get secrets -A -o json')
  await kubectl('replace -f -', { input: everything })
  expect(await writtenWith('key1')).toBe(0)

  keys(['key2', next])
  await t8s('down')
  await up()
  const read = await kubectl('get secret s3 -o jsonpath={.data.password}')
  expect(Buffer.from(read, 'base64').toString()).toBe('hunter3')
  expect((await kubectl('get secrets -A -o name')).split('\n').length).toBeGreaterThanOrEqual(6)
}, 120_000)

it('a key that was taken away too early is asked for by name, and nothing is lost', async () => {
  const good = readFileSync(file, 'utf8')
  keys(['key3', randomBytes(32).toString('base64')])
  await t8s('down')
  await up()
  await expect(kubectl('get secret s3')).rejects.toThrow(/unable to transform key "\/registry\/secrets\/default\/s3"/)
  writeFileSync(file, good)
  await expect.poll(() => kubectl('get secret s3 -o name').catch(() => ''), { timeout: 30_000, interval: 200 }).toBe('secret/s3')
}, 120_000)
