import type { Flag } from './flag.ts'
import type { FlagSections, Program } from './flag-set.ts'

const WIDTH = 100
const INDENT = ' '.repeat(16)

/** What `--help` prints: flags under upstream's headings, in alphabetical order; those without effect say so. */
export function helpText({ name, about, sections }: Program<FlagSections>): string {
  const parts = Object.entries(sections).map(([title, flags]) => {
    const lines = Object.entries(flags)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([flag, of]) => flagText(flag, of))
    return `${title} flags:\n\n${lines.join('')}`
  })
  const global = `Global flags:\n\n  -h, --help\n${wrapped(`help for ${name}`)}      --version version[=true]\n${wrapped(
    'Prints the version and ends; --version=raw prints it as a structure.',
  )}`
  return `${wrapped(about, '')}\nUsage:\n  ${name} [flags]\n\n${[...parts, global].join('\n')}`
}

function flagText(name: string, flag: Flag): string {
  const letter = flag.letter === undefined ? '    ' : `-${flag.letter}, `
  const defaultText = flag.defaultText === '' ? '' : ` (default ${flag.defaultText})`
  const note = flag.refused ? ` (Only the default: ${flag.refused}.)` : flag.unapplied ? ` (Accepted, but ${flag.unapplied}.)` : ''
  return `  ${letter}--${name}${flag.type === '' ? '' : ` ${flag.type}`}\n${wrapped(`${flag.help}${defaultText}${note}`)}`
}

function wrapped(text: string, indent = INDENT): string {
  let lines = ''
  let line = indent
  for (const word of text.split(' ')) {
    if (line.length > indent.length && line.length + word.length + 1 > WIDTH) {
      lines += `${line}\n`
      line = indent
    }
    line += line.length === indent.length ? word : ` ${word}`
  }
  return `${lines}${line}\n`
}
