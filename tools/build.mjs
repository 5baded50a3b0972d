// Builds what runs: node tools/build.mjs [--programs]
//
//   dist/programs/*.js   each program bundled, what several share in chunks of its own, so that a short command loads little
//   bin/*                a launcher for each, whose process becomes the program's
//   dist/**              the library with its types, file by file (not with --programs)
//
// Types are checked by `npm run typecheck`, not here: a build takes about a second.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, transform } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(root, 'src')
const dist = join(root, 'dist')
const bin = join(root, 'bin')
const onlyPrograms = process.argv.includes('--programs')
const started = new Date()
const NATIVE_PACKAGES = ['lmdb']
const CHUNKS_KEPT_MS = 7 * 24 * 60 * 60_000

const entries = programs()
const assets = assetFiles(source)
mkdirSync(dist, { recursive: true })
await buildPrograms()
writeLaunchers(await nodeFlags())
if (!onlyPrograms) buildLibrary()
// As old as the build's start: what was changed while it ran is newer, so that the next build sees it.
writeFileSync(join(dist, '.built'), '')
utimesSync(join(dist, '.built'), started, started)
console.error(`  ✓ build ${Object.keys(entries).join(', ')} (${((Date.now() - started.getTime()) / 1000).toFixed(1)} s)`)

/** Name → entry point: the command line, and every component that runs alone. */
function programs() {
  const folder = join(source, 'cluster/programs')
  const alone = existsSync(folder)
    ? readdirSync(folder).filter(name => name.endsWith('.ts') && !/\.(test|suite|fixture)\.ts$/.test(name))
    : []
  return { t8s: join(source, 'cluster/main.ts'), ...Object.fromEntries(alone.map(name => [basename(name, '.ts'), join(folder, name)])) }
}

/**
 * Each file is put in place at once. Chunks are named after their content, and old ones stay for a while: a program that has been running
 * since before the build may yet load one of its own.
 */
async function buildPrograms() {
  const place = join(dist, 'programs')
  mkdirSync(place, { recursive: true })
  const { outputFiles } = await build({
    entryPoints: entries,
    outdir: place,
    write: false,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['source'],
    // Measured: with the packages bundled a program that loads them all starts in 210 ms instead of 350. Native ones cannot be.
    external: NATIVE_PACKAGES,
    // Packages in CommonJS call require for Node's own modules.
    banner: { js: "import { createRequire as t8sCreateRequire } from 'node:module'; const require = t8sCreateRequire(import.meta.url);" },
    logLevel: 'warning',
  })
  const current = new Map(outputFiles.map(file => [basename(file.path), file.contents]))
  // Code finds its assets beside itself (`new URL('./x.proto', import.meta.url)`), and bundled all code stands in one folder.
  for (const file of assets) {
    const name = basename(file)
    if (current.has(name)) throw new Error(`two assets have the name ${name}, one is ${relative(root, file)}: give each a name of its own`)
    current.set(name, readFileSync(file))
  }
  for (const [name, contents] of current) {
    writeFileSync(join(place, `${name}.new`), contents)
    renameSync(join(place, `${name}.new`), join(place, name))
  }
  for (const name of readdirSync(place)) {
    const path = join(place, name)
    if (!current.has(name) && Date.now() - statSync(path).mtimeMs > CHUNKS_KEPT_MS) rmSync(path, { recursive: true })
  }
}

/** The programs' own: they start each other with the same. */
async function nodeFlags() {
  const { code } = await transform(readFileSync(join(source, 'cluster/node-flags.ts'), 'utf8'), { loader: 'ts' })
  return (await import(`data:text/javascript,${encodeURIComponent(code)}`)).NODE_FLAGS.join(' ')
}

function writeLaunchers(flags) {
  mkdirSync(bin, { recursive: true })
  for (const name of readdirSync(bin)) if (!(name in entries)) rmSync(join(bin, name))
  for (const name of Object.keys(entries)) {
    const path = join(bin, name)
    const text = `#!/bin/sh\n# Made by tools/build.mjs. The process becomes the program's: its pid is this one.\nself=$(readlink -f -- "$0")\nexec node ${flags} "\${self%/bin/*}/dist/programs/${name}.js" "$@"\n`
    writeFileSync(`${path}.new`, text)
    chmodSync(`${path}.new`, 0o755)
    renameSync(`${path}.new`, path)
  }
}

function buildLibrary() {
  const compiler = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (compiler.status !== 0) {
    console.error(compiler.stdout.split('\n').slice(0, 20).join('\n'))
    console.error('  ✗ the library has type errors: see `npm run typecheck`')
    process.exitCode = 1
  }
  for (const file of assets) {
    const target = join(dist, relative(source, file))
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(file, target)
  }
}

/** Files beside the sources that code reads when it runs. */
function assetFiles(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return entry.name === 'testdata' ? [] : assetFiles(path)
    return /\.(ts|tsx|md)$/.test(entry.name) ? [] : [path]
  })
}
