import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** A guard to be taken out: where it stands, and what stands there instead. */
export interface Breakage {
  /** Below src/. */
  readonly file: string
  /** Stands there exactly once. */
  readonly guard: string
  readonly instead: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const cache = join(root, 'node_modules/.cache')

/**
 * Builds kube-apiserver without some of its guards.
 *
 * @returns the file that node runs; it stands among the packages so that it finds those that are not bundled
 * @throws Error: a guard does not stand where it is said to
 */
export async function brokenBuild(breakages: readonly Breakage[]): Promise<string> {
  mkdirSync(cache, { recursive: true })
  const directory = mkdtempSync(join(cache, 'broken-'))
  const left = new Set(breakages)
  await build({
    entryPoints: [join(root, 'src/cluster/programs/kube-apiserver.ts')],
    outfile: join(directory, 'kube-apiserver.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['source'],
    external: ['lmdb'],
    banner: { js: "import { createRequire as t8sCreateRequire } from 'node:module'; const require = t8sCreateRequire(import.meta.url);" },
    logLevel: 'error',
    plugins: [
      {
        name: 'breakages',
        setup({ onLoad }) {
          onLoad({ filter: /\.ts$/ }, ({ path }) => {
            const here = breakages.filter(({ file }) => path === join(root, 'src', file))
            if (here.length === 0) return undefined
            let contents = readFileSync(path, 'utf8')
            for (const breakage of here) {
              const { guard, instead, file } = breakage
              if (contents.split(guard).length !== 2) throw new Error(`src/${file} does not have this guard exactly once: ${guard}`)
              contents = contents.replace(guard, () => instead)
              left.delete(breakage)
            }
            return { contents, loader: 'ts' }
          })
        },
      },
    ],
  })
  for (const { file } of left) throw new Error(`src/${file} is no part of kube-apiserver`)
  return join(directory, 'kube-apiserver.mjs')
}
