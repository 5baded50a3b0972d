import { declareFunction, globalOverload, type Library, memberOverload } from '#base/languages/cel/declarations.ts'
import { listOf, opaque, optionalOf, STRING } from '#base/languages/cel/types.ts'
import { ArrayList, CelOptional } from '#base/languages/cel/values.ts'
import { isLabelValue, isQualifiedName, nameIsDNS1035Label, nameIsDNSLabel, nameIsDNSSubdomain } from '../../meta/names.ts'
import { OpaqueValue } from './opaque-value.ts'
import { requestUriError } from './urls.ts'

const FORMAT_TYPE = opaque('kubernetes.NamedFormat')

interface Format {
  readonly name: string
  /** What is wrong with a text; nothing if it is fine. */
  readonly check: (text: string) => readonly string[]
}
type FormatValue = OpaqueValue<Format>

const unless = (isFine: (text: string) => boolean, message: string) => (text: string) => (isFine(text) ? [] : [message])
const isDate = (text: string): boolean => {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/
const DATE_TIME = /^(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)?$/

const FORMATS: ReadonlyMap<string, FormatValue> = new Map(
  Object.entries<Format['check']>({
    dns1123Label: text => nameIsDNSLabel(text, false),
    dns1123Subdomain: text => nameIsDNSSubdomain(text, false),
    dns1035Label: text => nameIsDNS1035Label(text, false),
    qualifiedName: isQualifiedName,
    dns1123LabelPrefix: text => nameIsDNSLabel(text, true),
    dns1123SubdomainPrefix: text => nameIsDNSSubdomain(text, true),
    dns1035LabelPrefix: text => nameIsDNS1035Label(text, true),
    labelValue: isLabelValue,
    uri: text => {
      const error = requestUriError(text)
      return error === undefined ? [] : [error]
    },
    uuid: unless(
      text => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(text),
      'does not match the UUID format',
    ),
    byte: unless(text => BASE64.test(text), 'invalid base64'),
    date: unless(isDate, 'invalid date'),
    datetime: unless(text => isDate(DATE_TIME.exec(text)?.[1] ?? ''), 'invalid datetime'),
  }).map(([name, check]) => [name, new OpaqueValue(FORMAT_TYPE, { name, check })]),
)

/** `format.dns1123Label().validate(text)`, `format.named(name)`: what Kubernetes says of names. */
export const FORMAT_LIBRARY: Library = {
  types: [FORMAT_TYPE],
  functions: [
    declareFunction(
      'validate',
      memberOverload('format-validate', [FORMAT_TYPE, STRING], optionalOf(listOf(STRING)), ({ held }: FormatValue, text: string) => {
        const errors = held.check(text)
        return errors.length === 0 ? CelOptional.none : new CelOptional(new ArrayList(errors))
      }),
    ),
    declareFunction(
      'format.named',
      globalOverload('format-named', [STRING], optionalOf(FORMAT_TYPE), (name: string) => {
        const format = FORMATS.get(name)
        return format === undefined ? CelOptional.none : new CelOptional(format)
      }),
    ),
    ...[...FORMATS].map(([name, format]) =>
      declareFunction(
        `format.${name}`,
        globalOverload(`format.${name}`, [], FORMAT_TYPE, () => format),
      ),
    ),
  ],
}
