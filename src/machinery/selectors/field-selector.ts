import { SelectorError } from './label-selector.ts'

/** One field that must, or must not, have a value: `spec.nodeName=n1`. */
export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Which objects are selected by their fields: all requirements hold. */
export class FieldSelector {
  readonly requirements: readonly FieldRequirement[]

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements
  }

  static readonly everything = new FieldSelector([])

  static ofField(field: string, value: string): FieldSelector {
    return new FieldSelector([{ field, operator: '=', value }])
  }

  get isEverything(): boolean {
    return this.requirements.length === 0
  }

  /** Whether the requirements hold of an object whose fields `read` tells ('' for an absent one). */
  matches(read: (field: string) => string): boolean {
    for (const { field, operator, value } of this.requirements) {
      if ((read(field) === value) !== (operator === '=')) return false
    }
    return true
  }

  /** The one value that `field` must have, if the selector says so. */
  exactValueOf(field: string): string | undefined {
    return this.requirements.find(one => one.field === field && one.operator === '=')?.value
  }

  /** The first field that is not among `known`. */
  firstUnknown(known: ReadonlySet<string> | readonly string[]): string | undefined {
    const set = known instanceof Set ? known : new Set(known)
    return this.requirements.find(({ field }) => !set.has(field))?.field
  }

  toString(): string {
    return this.requirements.map(({ field, operator, value }) => `${field}${operator}${escaped(value)}`).join(',')
  }
}

/** Reads the text of a `fieldSelector` parameter. Throws `SelectorError` with upstream's words. */
export function parseFieldSelector(text: string): FieldSelector {
  const terms = termsOf(text)
    .filter(term => term !== '')
    .sort()
  return new FieldSelector(terms.map(term => requirementOf(term, text)))
}

function requirementOf(term: string, whole: string): FieldRequirement {
  const match = /!=|==|=/.exec(term)
  if (!match) throw new SelectorError(`invalid selector: '${whole}'; can't understand '${term}'`)
  const value = unescaped(term.slice(match.index + match[0].length))
  return { field: term.slice(0, match.index), operator: match[0] === '!=' ? '!=' : '=', value }
}

/** The parts between commas; a backslash takes the next character's meaning away. */
function termsOf(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === ',') {
      terms.push(text.slice(start, at))
      start = at + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

function unescaped(value: string): string {
  if (!/[\\,=]/.test(value)) return value
  let plain = ''
  for (let at = 0; at < value.length; at++) {
    const char = value[at]!
    if (char === '=' || char === ',') throw new SelectorError(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`)
    if (char !== '\\') {
      plain += char
      continue
    }
    const next = value[++at] ?? ''
    if (next !== '\\' && next !== ',' && next !== '=') throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next}`)
    plain += next
  }
  return plain
}

function escaped(value: string): string {
  return value.replace(/[\\,=]/g, char => `\\${char}`)
}
