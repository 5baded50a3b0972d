import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

/*
 * The house rules that a program can check. Each breach is one line that says where it is and what to do instead.
 */

/** Which top-level folder of src may import which, besides itself. */
const COMPONENT = ['base', 'machinery', 'kinds', 'client']
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  machinery: ['base'],
  kinds: ['base', 'machinery'],
  store: ['base'],
  client: ['base', 'machinery', 'kinds'],
  apiserver: ['base', 'machinery', 'kinds', 'store', 'client'],
  controllers: COMPONENT,
  scheduler: COMPONENT,
  // Its controllers run on the same runtime, and in a process of their own.
  cloud: [...COMPONENT, 'controllers'],
  kubelet: COMPONENT,
  proxy: COMPONENT,
  dns: COMPONENT,
  metrics: COMPONENT,
  kubectl: COMPONENT,
  dashboard: COMPONENT,
  testing: ['*'],
  cluster: ['*'],
}

/** Folders whose code runs in a simulation, or anywhere: they take what they need of the world as parameters. */
const WITHOUT_NODE = ['machinery', 'kinds', 'controllers', 'scheduler']

/** Only these touch the world; everyone else is given it. */
const WITH_WORLD = ['base', 'cluster']
const WORLD: readonly [pattern: RegExp, instead: string][] = [
  [/\bDate\.now\(/, 'take a Clock (#base/time/clock.ts) as a parameter and ask clock.now()'],
  [/\bnew Date\(\)/, 'take a Clock (#base/time/clock.ts) as a parameter and write new Date(clock.now())'],
  // A socket's own setTimeout is no timer of ours.
  [/(?<!\.)\bset(Timeout|Interval)\(/, 'take a Clock (#base/time/clock.ts) as a parameter and use clock.after, sleep or every'],
  [/\bMath\.random\(/, 'take a Random (#base/random/random.ts) as a parameter'],
  [/\bprocess\.env\b/, 'take the setting as an option; cluster/ reads the environment'],
]

/** Words that say nothing about what a file holds. */
const EMPTY_WORDS = ['util', 'utils', 'helper', 'helpers', 'manager', 'managers', 'misc', 'common']
/** Kubernetes' own names that contain such a word. */
const GIVEN_NAMES = ['kube-controller-manager', 'cloud-controller-manager', 'field-manager']
/** What stands between a name and its ending, and what it means. */
const SUFFIXES: Readonly<Record<string, string>> = {
  facts: 'pure questions about an object',
  rules: 'checks the schema cannot say',
  columns: 'what kubectl get shows',
  defaults: 'defaults the schema cannot say',
  strategy: 'what a create or an update does to an object',
  warnings: 'what a client is warned of',
  view: 'how one version of a kind is shown as another',
  metrics: 'pure computation from measurements',
  scaling: 'pure computation of how much there is to be',
  graph: 'pure bookkeeping of what depends on what',
  plan: 'pure decisions of what to do',
  status: 'pure computation of a status',
  suite: 'what every implementation proves',
  fixture: 'what several tests start from',
  program: 'a process that a test starts',
  test: 'unit tests',
  bench: 'measurements',
  sim: 'simulations',
  int: 'tests that need root, containers or ports',
  e2e: 'tests of a whole cluster',
  d: 'types of something written elsewhere',
}

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const files = ['src', 'test', 'bench', 'tools'].flatMap(folder => sources(join(root, folder))).map(read)
const inSource = files.filter(file => file.folder !== undefined)
const shipped = inSource.filter(file => !/\.(test|suite|fixture)\.tsx?$/.test(file.path))

describe('house rules', () => {
  it('a folder of src imports only what the import table allows it', () => {
    const breaches = inSource.flatMap(file =>
      file.imports.flatMap(({ line, from }) => {
        const target = /^#([^/]+)\//.exec(from)?.[1]
        if (target === undefined || target === file.folder) return []
        const allowed = MAY_IMPORT[file.folder!]
        if (!allowed)
          return `${file.path}: src/${file.folder} is not in the import table: add it to MAY_IMPORT in tools/tidy.test.ts, with its reason in ARCHITECTURE.md`
        if (allowed.includes('*') || allowed.includes(target)) {
          const isRoot = target === 'cluster' && file.folder !== 'testing'
          return isRoot ? `${file.path}:${line} imports ${from}: nobody imports cluster but testing; take what you need as a parameter` : []
        }
        return `${file.path}:${line} imports ${from}: ${file.folder} may import ${allowed.join(', ') || 'nothing of ours'}; components meet only in the API, and what two of them ask of an object lives in its .facts file in kinds`
      }),
    )
    expect(breaches).toEqual([])
  })

  it('an import inside a folder is relative, and one that crosses a border shows it', () => {
    const breaches = inSource.flatMap(file =>
      file.imports.flatMap(({ line, from }) => {
        if (from.startsWith(`#${file.folder}/`)) return `${file.path}:${line} imports ${from} of its own folder: write the relative path`
        if (!from.startsWith('.')) return []
        const target = normalize(join(dirname(file.path), from))
        if (target.startsWith(`src/${file.folder}/`)) return []
        if (/^src\/[^/]+\//.test(target))
          return `${file.path}:${line} imports ${from}: it crosses a border, so write #${target.slice('src/'.length)}`
        return `${file.path}:${line} imports ${from}: src imports nothing from outside of src; move what both need into src`
      }),
    )
    expect(breaches).toEqual([])
  })

  it('an import of our own names the file, with .ts at its end', () => {
    const breaches = files.flatMap(file =>
      file.imports.flatMap(({ line, from }) =>
        /^[.#]/.test(from) && !/\.(tsx?|mjs|json)$/.test(from)
          ? `${file.path}:${line} imports ${from}: name the file itself, ending in .ts`
          : [],
      ),
    )
    expect(breaches).toEqual([])
  })

  it('no file of src is loaded with one that is loaded with it', () => {
    const breaches = circles(inSource).map(
      circle => `${circle.join(' → ')}: put what both need into a file of its own, or pass it as a parameter (types may go both ways)`,
    )
    expect(breaches).toEqual([])
  })

  it(`${WITHOUT_NODE.join(', ')} import nothing of Node's`, () => {
    const breaches = shipped
      .filter(file => WITHOUT_NODE.includes(file.folder!))
      .flatMap(file =>
        file.imports.flatMap(({ line, from }) =>
          from.startsWith('node:')
            ? `${file.path}:${line} imports ${from}: ${file.folder} runs in simulations; take it as a parameter, or put its face into base`
            : [],
        ),
      )
    expect(breaches).toEqual([])
  })

  it('the clock, randomness and the environment come in by the door', () => {
    const breaches = shipped
      .filter(file => !WITH_WORLD.includes(file.folder!))
      .flatMap(file =>
        file.code.flatMap((text, index) =>
          WORLD.flatMap(([pattern, instead]) =>
            pattern.test(text) ? `${file.path}:${index + 1} uses ${pattern.exec(text)![0]}: ${instead}` : [],
          ),
        ),
      )
    expect(breaches).toEqual([])
  })

  it('a file is named in kebab-case after what it holds', () => {
    const breaches = files.flatMap(file => {
      const name = file.path.split('/').at(-1)!
      const [stem = '', ...suffixes] = name.replace(/\.tsx?$/, '').split('.')
      if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(stem)) return `${file.path}: name it in kebab-case`
      const unknown = suffixes.find(suffix => !(suffix in SUFFIXES))
      if (unknown && !file.path.startsWith('tools/'))
        return `${file.path}: .${unknown} has no meaning here; use one of ${Object.keys(SUFFIXES).join(', ')}, or a dash`
      const empty = stem.split('-').find(word => EMPTY_WORDS.includes(word))
      if (empty && !GIVEN_NAMES.includes(stem)) return `${file.path}: "${empty}" says nothing; name the noun that the file holds`
      if (stem === 'index') return `${file.path}: a barrel hides where things are; import the file itself`
      return []
    })
    expect(breaches).toEqual([])
  })
})

describe('the check itself', () => {
  it('sees imports in every form', () => {
    const text = `import { a,\n  type B } from './a.ts'\nimport './b.ts'\nexport * from "./c.ts"\nconst d = await import('./d.ts')\n// import './no.ts'\n`
    expect(importsOf(text).map(found => found.from)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts'])
  })

  it('tells types, and what is loaded later, from what is loaded with a file', () => {
    const text = `import type { A } from './a.ts'\nimport { type B, c } from './b.ts'\nimport { type D } from './d.ts'\nconst e = await import('./e.ts')\n`
    expect(importsOf(text).flatMap(({ from, isLoaded }) => (isLoaded ? [from] : []))).toEqual(['./b.ts'])
  })

  it('finds what goes in a circle', () => {
    const file = (name: string, ...needs: string[]) => ({
      path: `src/x/${name}.ts`,
      imports: needs.map(need => ({ from: `./${need}.ts`, isLoaded: true })),
    })
    expect(circles([file('a', 'b'), file('b', 'c'), file('c', 'b'), file('d', 'a')])).toEqual([['src/x/b.ts', 'src/x/c.ts', 'src/x/b.ts']])
  })

  it('does not take comments and texts for code', () => {
    const code = codeOf("a() // Date.now()\n/* Math.random()\n */ const text = 'process.env'\nDate.now()\n")
    expect(code.map(line => WORLD.some(([pattern]) => pattern.test(line)))).toEqual([false, false, false, true, false])
  })

  it('covers the folders there are', () => {
    expect(new Set(inSource.map(file => file.folder)).size).toBeGreaterThan(5)
    expect(inSource.every(file => MAY_IMPORT[file.folder!])).toBe(true)
  })
})

interface Import {
  readonly line: number
  readonly from: string
  /** It is loaded with the file: more than types are taken from it, and at once. */
  readonly isLoaded: boolean
}

interface SourceFile {
  /** From the root of the project. */
  readonly path: string
  /** Top-level folder below src; undefined for files elsewhere. */
  readonly folder: string | undefined
  readonly imports: readonly Import[]
  /** Lines without comments and without what stands in quotes. */
  readonly code: readonly string[]
}

function sources(folder: string): string[] {
  let entries: ReturnType<typeof list>
  try {
    entries = list(folder)
  } catch {
    return []
  }
  return entries.flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['generated', 'testdata', 'node_modules'].includes(entry.name) ? [] : sources(path)
    return /\.tsx?$/.test(entry.name) ? [path] : []
  })
}

function list(folder: string) {
  return readdirSync(folder, { withFileTypes: true })
}

function read(path: string): SourceFile {
  const text = readFileSync(path, 'utf8')
  const fromRoot = relative(root, path)
  return { path: fromRoot, folder: /^src\/([^/]+)\//.exec(fromRoot)?.[1], imports: importsOf(text), code: codeOf(text) }
}

function importsOf(text: string): Import[] {
  const pattern =
    /^[ \t]*(?:import|export)\b([\w\s{},*$]*?)\bfrom\s+['"]([^'"]+)['"]|^[ \t]*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm
  return [...text.matchAll(pattern)].map(match => ({
    line: text.slice(0, match.index + match[0].length).split('\n').length,
    from: (match[2] ?? match[3] ?? match[4])!,
    isLoaded: match[4] === undefined && !isOfTypes(match[1] ?? ''),
  }))
}

/** Whether what stands between `import` and `from` names types alone. */
function isOfTypes(names: string): boolean {
  const words = names.trim()
  const listed = /^\{(.*)\}$/s
    .exec(words)?.[1]
    ?.split(',')
    .filter(name => name.trim() !== '')
  return words.startsWith('type ') || (listed?.every(name => name.trim().startsWith('type ')) ?? false)
}

/** The first circle that each file is found in, from its first file round to it again. */
function circles(all: readonly { readonly path: string; readonly imports: readonly Pick<Import, 'from' | 'isLoaded'>[] }[]): string[][] {
  const needs = new Map(
    all.map(({ path, imports }) => [
      path,
      imports.flatMap(({ from, isLoaded }) => {
        if (!isLoaded || !/^[.#]/.test(from)) return []
        return from.startsWith('#') ? `src/${from.slice(1)}` : normalize(join(dirname(path), from))
      }),
    ]),
  )
  const done = new Set<string>()
  const found: string[][] = []
  const visit = (path: string, above: readonly string[]) => {
    if (above.includes(path)) found.push([...above.slice(above.indexOf(path)), path])
    if (done.has(path) || above.includes(path)) return
    for (const need of needs.get(path) ?? []) visit(need, [...above, path])
    done.add(path)
  }
  for (const path of needs.keys()) visit(path, [])
  return found
}

function codeOf(text: string): string[] {
  const blank = (found: string) => found.replace(/[^\n]/g, ' ')
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, blank).split('\n')
}
