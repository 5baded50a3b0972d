import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Flag } from './flag.ts'
import { type FlagSections, type Program, readCommandLine } from './flag-set.ts'
import { PROGRAMS } from './programs.ts'

const sourceOf = (path: string) => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')
/** What reads flags for several programs; what declares them does not. */
const shared = ['.', '../frame'].flatMap(folder =>
  readdirSync(fileURLToPath(new URL(`${folder}/`, import.meta.url)))
    .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .filter(name => folder !== '.' || !(name === 'shared-flags.ts' || PROGRAMS.some(program => name === `${program.name}.ts`)))
    .map(name => sourceOf(`${folder}/${name}`)),
)
const flagsOf = (program: Program<FlagSections>) => Object.values(program.sections).flatMap(section => Object.entries<Flag>(section))
const givenTo = (program: Program<FlagSections>, ...args: string[]) => readCommandLine(program, args, 'v1.36.0')

describe.each(PROGRAMS)('$name', program => {
  it('reads every flag it takes, or says that it has no effect', () => {
    const text = [sourceOf(`../programs/${program.name}.ts`), ...shared].join('\n')
    const isRead = (name: string) =>
      text.includes(`'${name}'`) || new RegExp(`flags\\.${name}\\b|const \\{[^}]*\\b${name}\\b[^}]*\\} = flags`).test(text)
    const isBuilt = (name: string) => /^cluster-signing-/.test(name)
    const silent = flagsOf(program).filter(([name, flag]) => !flag.unapplied && !flag.refused && !isRead(name) && !isBuilt(name))
    expect(silent.map(([name]) => name)).toEqual([])
  })

  it('takes the default of every flag without a word', () => {
    const args = flagsOf(program)
      .filter(([name, flag]) => flag.show(flag.defaultValue) !== '' && !['tls-min-version'].includes(name))
      .filter(([, flag]) => typeof flag.defaultValue !== 'object' && !flag.agreesWith)
      .map(([name, flag]) => `--${name}=${flag.show(flag.defaultValue)}`)
    expect(givenTo(program, ...args)).toMatchObject({ do: 'run', warnings: [] })
  })

  it('knows the feature gates of 1.36 and no others, and warns of what it does not turn on', () => {
    expect(givenTo(program, '--feature-gates=WatchList=true,kube:GangScheduling=false')).toMatchObject({ do: 'run', warnings: [] })
    expect(givenTo(program, '--feature-gates=KubeletInUserNamespace=true')).toMatchObject({
      warnings: [expect.stringContaining('--feature-gates')],
    })
    expect(givenTo(program, '--feature-gates=NoSuchThing=true')).toMatchObject({
      do: 'refuse',
      text: expect.stringContaining('for "--feature-gates" flag: unrecognized feature gate: NoSuchThing'),
    })
    expect(givenTo(program, '--feature-gates=SidecarContainers=false')).toMatchObject({
      text: expect.stringContaining('cannot set feature gate SidecarContainers to false, feature is locked to true'),
    })
  })
})

describe('flags that change what is safe', () => {
  const named = (name: string) => PROGRAMS.find(program => program.name === name)!

  it.each([
    ['kube-apiserver', '--etcd-prefix=/other', 'all keys are below /registry'],
    ['kube-apiserver', '--aggregator-reject-forwarding-redirect=false', 'redirects of aggregated servers are never followed'],
    ['kube-scheduler', '--tls-cipher-suites=TLS_NULL', "Cipher suite TLS_NULL not supported or doesn't exist"],
    ['kube-controller-manager', '--controllers=*,-jobs', '"jobs" is not in the list of known controllers'],
    ['cloud-controller-manager', '--controllers=jobs', '"jobs" is not in the list of known controllers'],
    ['kube-controller-manager', '--pod-eviction-timeout=5m', 'unknown flag: --pod-eviction-timeout'],
  ])('%s refuses %s', (program, flag, why) => {
    expect(givenTo(named(program), flag)).toMatchObject({ do: 'refuse', text: expect.stringContaining(why) })
  })

  it('are warned of where the program is stricter than asked', () => {
    expect(givenTo(named('kubelet'), '--anonymous-auth=true')).toMatchObject({ warnings: [expect.stringContaining('never let in')] })
    expect(givenTo(named('kubelet'), '--anonymous-auth=false', '--authorization-mode=Webhook')).toMatchObject({ warnings: [] })
  })
})

it('docs/reference/flags.md says which flags have no effect', async () => {
  await expect(reference()).toMatchFileSnapshot('../../../docs/reference/flags.md')
})

function reference(): string {
  const sections = PROGRAMS.map(program => {
    const told = flagsOf(program).filter(([, flag]) => flag.unapplied || flag.refused)
    const rows = told
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, flag]) => [`\`--${name}\``, flag.refused ? `**refused**: ${flag.refused}` : flag.unapplied!] as const)
    const count = flagsOf(program).length
    return `## ${program.name}\n\n${count} flags, of which these ${told.length} do nothing:\n\n${table([['flag', 'why'], ...rows])}\n`
  })
  return `# Flags that have no effect

The programs in \`bin/\` take the flags of upstream's programs of the same name, with the same defaults; \`--help\` lists them all. An unknown one is refused. Those below are known and
do nothing: asking for anything but what is done anyway is answered with one line of warning, or refused where it would change what is safe.

This page is written by \`npx vitest run src/cluster/flags -u\`, and a test fails when it is not what the programs say.

${sections.join('\n')}`
}

/** A table in Markdown; the first row is its head. */
function table(rows: readonly (readonly [string, string])[]): string {
  const widths = [0, 1].map(column => Math.max(...rows.map(row => row[column]!.length)))
  const lines = rows.map(row => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`)
  const rule = `| ${widths.map(width => '-'.repeat(width)).join(' | ')} |`
  return [lines[0], rule, ...lines.slice(1)].join('\n')
}
