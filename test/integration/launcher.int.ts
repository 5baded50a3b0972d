import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { run } from '#base/process/run.ts'
import { findPrograms } from '#cluster/machine/facts.ts'

/*
 * What ./t8s says of surroundings that do not do: it must say it before npm, before the build, before anything is made. And when it asks npm for
 * packages.
 */

const launcher = fileURLToPath(new URL('../../t8s', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 't8s-launcher-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the launcher, which must fail with one sentence and leave its data directory unmade. */
async function refusal(args: readonly string[], options: { path?: string } = {}): Promise<string> {
  const dataDir = join(folder, 'data')
  const env = options.path === undefined ? {} : { PATH: options.path }
  const { code, stdout, stderr } = await run('/bin/sh', [launcher, ...args, '--data-dir', dataDir], { allowCodes: [1], env })
  expect({ code, stdout, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, stdout: '', lines: 1 })
  expect(existsSync(dataDir)).toBe(false)
  return stderr.trim()
}

/** A PATH with the launcher's few programs, and others made up. */
function pathWith(others: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(folder, 'path-'))
  const tools = ['readlink', 'id', 'uname', 'cat', 'df', 'grep', 'sed', 'find', 'cmp'].filter(name => !(name in others))
  for (const [name, path] of findPrograms(tools)) symlinkSync(path, join(directory, name))
  for (const [name, says] of Object.entries(others)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${says}\n`)
    chmodSync(join(directory, name), 0o755)
  }
  return directory
}

describe('the launcher', () => {
  it('says how to get Node.js where there is none, or an old one', async () => {
    expect(await refusal(['up'], { path: pathWith({}) })).toMatch(
      /^t8s: Node\.js 20 or newer is needed and there is none.*: run ".*nodejs"/,
    )
    expect(await refusal(['up'], { path: pathWith({ node: 'echo v18.19.0' }) })).toMatch(/this is v18\.19\.0: run/)
  })

  it('asks for root, and offers simulated nodes', async () => {
    const said = await refusal(['up'], { path: pathWith({ node: 'echo v20.1.0', id: 'echo 1000' }) })
    expect(said).toBe(
      't8s: Nodes that run containers need root: run "sudo ./t8s up", or use simulated nodes (./t8s up --simulated-nodes 3).',
    )
  })

  it('asks for a newer kernel', async () => {
    const uname = 'if [ "$1" = -r ]; then echo 4.19.0-26-amd64; else echo Linux; fi'
    expect(await refusal(['up'], { path: pathWith({ node: 'echo v20.1.0', uname }) })).toMatch(
      /Linux 5\.13 or newer is needed and this kernel is 4\.19\.0-26-amd64: boot/,
    )
  })

  it('asks for room on the disk', async () => {
    const df = 'printf "Filesystem 1024-blocks Used Available Capacity Mounted on\\n/dev/x 9 9 102400 1%% /\\n"'
    expect(await refusal(['up'], { path: pathWith({ node: 'echo v20.1.0', df }) })).toMatch(
      /Only 100 MiB are free for .*: make room, or choose another disk with --data-dir/,
    )
  })

  it('says that the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    expect(await refusal(['up', '--port', String(port)])).toMatch(
      new RegExp(`Port ${port}, .* is taken by another program: end that program .*, or choose another port with --port`),
    )
    expect(await refusal(['up', '--simulated-nodes=3', `--port=${port}`])).toMatch(/is taken/)
    server.close()
  })
})

describe('the launcher of a checkout', () => {
  const lock = (version: string) =>
    JSON.stringify({
      packages: {
        '': { name: 'checkout' },
        'node_modules/a': { version, integrity: `sha512-${version}` },
        'node_modules/for-others': { version: '1.0.0', integrity: 'sha512-x', optional: true, os: ['aix'] },
      },
    })

  /** A checkout that is built; npm has put version 1.0.0 there, and its lock file names `version`. `npm` is what that program does. */
  function checkout(version: string, npm: string): { root: string; path: string; asked: () => string[] } {
    const root = mkdtempSync(join(folder, 'checkout-'))
    for (const name of ['tools', 'dist/programs', 'node_modules']) mkdirSync(join(root, name), { recursive: true })
    copyFileSync(launcher, join(root, 't8s'))
    copyFileSync(fileURLToPath(new URL('../../tools/packages.mjs', import.meta.url)), join(root, 'tools/packages.mjs'))
    const files = {
      'package.json': '{}',
      'package-lock.json': lock(version),
      'node_modules/.package-lock.json': JSON.stringify({
        packages: { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-1.0.0' } },
      }),
      'dist/.built': '',
      'dist/programs/t8s.js': 'console.log("it runs")',
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text)
    const asked = join(root, 'asked')
    writeFileSync(asked, '')
    const bin = mkdtempSync(join(folder, 'bin-'))
    writeFileSync(join(bin, 'npm'), `#!/bin/sh\necho "$@" >> ${asked}\n${npm}\n`)
    chmodSync(join(bin, 'npm'), 0o755)
    return { root, path: `${bin}:${process.env['PATH']}`, asked: () => readFileSync(asked, 'utf8').trim().split('\n').filter(Boolean) }
  }
  const launch = ({ root, path }: { root: string; path: string }) =>
    run('/bin/sh', [join(root, 't8s'), 'version'], { allowCodes: [1], env: { PATH: path } })
  const touch = (path: string, ageSeconds: number) => utimesSync(path, Date.now() / 1000 - ageSeconds, Date.now() / 1000 - ageSeconds)

  it('does not ask npm for packages that are there, however new the lock file is', async () => {
    const made = checkout('1.0.0', 'exit 1')
    touch(join(made.root, 'node_modules/.package-lock.json'), 1000)
    touch(join(made.root, 'package-lock.json'), 0)
    for (let time = 0; time < 2; time++) expect(await launch(made)).toMatchObject({ code: 0, stdout: 'it runs\n' })
    expect(made.asked()).toEqual([])
  })

  it('asks npm when the lock file names another version, however old it is, and once', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const made = checkout('2.0.0', `case "$1 $3" in "config registry") echo http://127.0.0.1:${port}/ ;; config*) echo null ;; esac`)
    touch(join(made.root, 'package-lock.json'), 1000)
    for (let time = 0; time < 2; time++) expect(await launch(made)).toMatchObject({ code: 0, stdout: 'it runs\n' })
    const installs = made.asked().filter(line => line.startsWith('install'))
    expect(installs).toEqual(['install --no-save --no-audit --no-fund --loglevel=error'])
    server.close()
  })

  it('says at once that the registry does not answer, where the packages are not in the cache of npm either', async () => {
    const npm = 'case "$1 $3" in "config registry") echo http://127.0.0.1:1/ ;; config*) echo null ;; *) exit 1 ;; esac'
    const made = checkout('2.0.0', npm)
    const { code, stdout, stderr } = await launch(made)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('t8s: npm packages are to be installed, and the registry (http://127.0.0.1:1/) does not answer: connect')
    expect(made.asked().at(-1)).toMatch(/^install .* --offline$/)
  })
})
