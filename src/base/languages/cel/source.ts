/** Where something stands in an expression: an offset in UTF-16 units, or undefined for the expression as a whole. */
export type Offset = number | undefined

/** One thing that is wrong with an expression. */
export interface Issue {
  readonly offset: Offset
  readonly message: string
}

/** cel-go shows no more than this. */
const MAX_SHOWN = 100

/** Issues as cel-go shows them: in order of place, each with its line and a caret below it. */
export function showIssues(source: string, issues: readonly Issue[]): string {
  const placed = issues.map(issue => ({ ...placeOf(source, issue.offset), message: issue.message }))
  placed.sort((a, b) => a.line - b.line || a.column - b.column)
  const shown = placed.slice(0, MAX_SHOWN).map(issue => showIssue(source, issue))
  if (placed.length > MAX_SHOWN) shown.push(`${placed.length - MAX_SHOWN} more errors were truncated`)
  return shown.join('\n')
}

interface Place {
  /** From 1; -1 for no place. */
  readonly line: number
  /** From 0, in code points. */
  readonly column: number
}

function placeOf(source: string, offset: Offset): Place {
  if (offset === undefined) return { line: -1, column: -1 }
  const before = source.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: [...before.slice(lastBreak + 1)].length }
}

function showIssue(source: string, { line, column, message }: Place & { readonly message: string }): string {
  const head = `ERROR: <input>:${line}:${column + 1}: ${message}`
  const text = line < 1 ? undefined : source.split('\n')[line - 1]
  if (text === undefined) return head
  const characters = [...text.replaceAll('\t', ' ')]
  const dots = characters.slice(0, column).map(character => (isWide(character) ? '．' : '.'))
  const caret = isWide(characters[column]) ? '＾' : '^'
  return `${head}\n | ${characters.join('')}\n | ${dots.join('')}${caret}`
}

/** Whether UTF-8 takes more than a byte. */
function isWide(character: string | undefined): boolean {
  return character !== undefined && character.codePointAt(0)! > 0x7f
}
