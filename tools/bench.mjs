// Runs a benchmark: node tools/bench.mjs <name> [its arguments], for bench/<name>.bench.ts. Without a name it lists them.
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [name, ...args] = process.argv.slice(2)
const file = join(root, 'bench', `${name}.bench.ts`)
if (!name || !existsSync(file)) {
  const names = readdirSync(join(root, 'bench')).flatMap(entry =>
    entry.endsWith('.bench.ts') ? [entry.slice(0, -'.bench.ts'.length)] : [],
  )
  console.error(`${name ? `there is no benchmark ${name}` : 'name a benchmark'}: ${names.join(', ')}`)
  process.exit(1)
}
// Beside node_modules, so that packages are found; the name is of this run alone.
const folder = mkdtempSync(join(root, 'dist', '.bench-'))
try {
  await build({
    entryPoints: [file],
    outfile: join(folder, 'bench.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    conditions: ['source'],
    define: { T8S_ROOT: JSON.stringify(root) },
    logLevel: 'warning',
  })
  // Code finds its assets beside itself.
  for (const asset of assets(join(root, 'src'))) copyFileSync(asset, join(folder, basename(asset)))
  const child = spawn(process.execPath, ['--expose-gc', join(folder, 'bench.mjs'), ...args], { stdio: 'inherit', cwd: root })
  process.exitCode = await new Promise(resolve => child.on('close', code => resolve(code ?? 1)))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function assets(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.proto'))
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
}
