import { utf8Length } from './utf8.ts'

/*
 * Each check answers with what is wrong, in upstream's words; an empty list means the value is fine.
 * Give the answers to `FieldErrors.invalidEach`.
 */

/** A DNS label (RFC 1123): at most 63 lower-case letters, digits and dashes. */
export function isDNS1123Label(value: string): readonly string[] {
  const wrong = tooManyCharacters(value, LABEL_MAX)
  if (DNS1123_LABEL.test(value)) return wrong
  return [...wrong, DNS1123_SUBDOMAIN.test(value) ? 'must not contain dots' : regexError(LABEL_TEXT, LABEL, 'my-name', '123-abc')]
}

/** A DNS name (RFC 1123): labels with dots between, at most 253 bytes. */
export function isDNS1123Subdomain(value: string): readonly string[] {
  const wrong = tooManyCharacters(value, SUBDOMAIN_MAX)
  return DNS1123_SUBDOMAIN.test(value) ? wrong : [...wrong, regexError(SUBDOMAIN_TEXT, SUBDOMAIN, 'example.com')]
}

/** As {@link isDNS1123Subdomain}, with underscores. */
export function isDNS1123SubdomainWithUnderscore(value: string): readonly string[] {
  const wrong = tooManyCharacters(value, SUBDOMAIN_MAX)
  return DNS1123_SUBDOMAIN_UNDERSCORE.test(value) ? wrong : [...wrong, regexError(UNDERSCORE_TEXT, SUBDOMAIN_UNDERSCORE, 'example.com')]
}

/** A DNS label of RFC 1035: it starts with a letter. */
export function isDNS1035Label(value: string): readonly string[] {
  const wrong = tooManyCharacters(value, LABEL_MAX)
  return DNS1035_LABEL.test(value) ? wrong : [...wrong, regexError(LABEL_1035_TEXT, LABEL_1035, 'my-name', 'abc-123')]
}

/** `*.example.com`. */
export function isWildcardDNS1123Subdomain(value: string): readonly string[] {
  const wrong = tooManyCharacters(value, SUBDOMAIN_MAX)
  return WILDCARD.test(value) ? wrong : [...wrong, regexError(WILDCARD_TEXT, WILDCARD_FORMAT, '*.example.com')]
}

/** A label key: a name with an optional DNS prefix, `example.com/my-name`. Annotations, finalizers and condition types follow it too. */
export function isQualifiedName(value: string): readonly string[] {
  if (value.length <= KEY_MAX && QUALIFIED_NAME.test(value)) return NOTHING
  const parts = value.split('/', 3)
  if (parts.length > 2) {
    return [
      `a valid label key ${regexError(KEY_TEXT, KEY, ...KEY_EXAMPLES)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const wrong: string[] = []
  const [prefix, name] = parts.length === 2 ? [parts[0]!, parts[1]!] : [undefined, parts[0]!]
  if (prefix === '') wrong.push('prefix part must be non-empty')
  else if (prefix !== undefined) wrong.push(...isDNS1123Subdomain(prefix).map(text => `prefix part ${text}`))
  if (name === '') wrong.push('name part must be non-empty')
  else wrong.push(...tooLong(name, KEY_MAX).map(text => `name part ${text}`))
  if (!QUALIFIED_NAME.test(name)) wrong.push(`name part ${regexError(KEY_TEXT, KEY, ...KEY_EXAMPLES)}`)
  return wrong
}

/** The value of a label: empty, or at most 63 bytes that start and end with a letter or digit. */
export function isLabelValue(value: string): readonly string[] {
  const wrong = tooLong(value, KEY_MAX)
  return LABEL_VALUE.test(value) ? wrong : [...wrong, regexError(LABEL_VALUE_TEXT, LABEL_VALUE_FORMAT, 'MyValue', 'my_value', '12345')]
}

/** A name that can stand as one segment of a URL's path: all that names of RBAC objects and custom paths must be. */
export function isPathSegmentName(value: string): readonly string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter(part => value.includes(part)).map(part => `may not contain '${part}'`)
}

/** A check of `metadata.name`; with `isPrefix` the value is a generateName, to which more will be added. */
export type NameCheck = (name: string, isPrefix: boolean) => readonly string[]

export const nameIsDNSSubdomain: NameCheck = (name, isPrefix) => isDNS1123Subdomain(isPrefix ? withoutTrailingDash(name) : name)
export const nameIsDNSLabel: NameCheck = (name, isPrefix) => isDNS1123Label(isPrefix ? withoutTrailingDash(name) : name)
export const nameIsDNS1035Label: NameCheck = (name, isPrefix) => isDNS1035Label(isPrefix ? withoutTrailingDash(name) : name)
export const nameIsPathSegment: NameCheck = (name, isPrefix) =>
  isPrefix ? ['/', '%'].filter(part => name.includes(part)).map(part => `may not contain '${part}'`) : isPathSegmentName(name)

/** `message (e.g. 'a',  or 'b', regex used for validation is '…')`. */
export function regexError(message: string, regex: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${regex}')`
  return `${message} (e.g. ${examples.map(example => `'${example}', `).join(' or ')}regex used for validation is '${regex}')`
}

/** What is said of a value of more than `maxBytes`. */
export function tooLong(value: string, maxBytes: number): readonly string[] {
  if (value.length * 3 <= maxBytes) return NOTHING
  return utf8Length(value) > maxBytes ? [`must be no more than ${maxBytes} bytes`] : NOTHING
}

const NOTHING: readonly string[] = []
const LABEL_MAX = 63
const SUBDOMAIN_MAX = 253
const KEY_MAX = 63
const KEY_EXAMPLES = ['MyName', 'my.name', '123-abc']

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`
const LABEL_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const SUBDOMAIN_UNDERSCORE = `${LABEL_UNDERSCORE}(\\.${LABEL_UNDERSCORE})*`
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const WILDCARD_FORMAT = `\\*\\.${SUBDOMAIN}`
const KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE_FORMAT = `(${KEY})?`

const DNS1123_LABEL = new RegExp(`^${LABEL}$`)
const DNS1123_SUBDOMAIN = new RegExp(`^${SUBDOMAIN}$`)
const DNS1123_SUBDOMAIN_UNDERSCORE = new RegExp(`^${SUBDOMAIN_UNDERSCORE}$`)
const DNS1035_LABEL = new RegExp(`^${LABEL_1035}$`)
const WILDCARD = new RegExp(`^${WILDCARD_FORMAT}$`)
const QUALIFIED_NAME = new RegExp(`^${KEY}$`)
const LABEL_VALUE = new RegExp(`^${LABEL_VALUE_FORMAT}$`)

const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const UNDERSCORE_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character"
const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
const WILDCARD_TEXT =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
const KEY_TEXT = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

/** A generateName may end in a dash that the generated name will not end in. */
function withoutTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name
}

/** Names of hosts are counted in characters, in the same measure. */
function tooManyCharacters(value: string, max: number): readonly string[] {
  return utf8Length(value) > max ? [`must be no more than ${max} characters`] : NOTHING
}
