import { declareFunction, globalOverload, type Library, memberOverload } from '#base/languages/cel/declarations.ts'
import { EvaluationError } from '#base/languages/cel/evaluation-error.ts'
import { BOOL, listOf, mapOf, opaque, STRING } from '#base/languages/cel/types.ts'
import { ArrayList, EntryMap } from '#base/languages/cel/values.ts'
import { OpaqueValue } from './opaque-value.ts'
import { succeeds } from './succeeds.ts'

const URL_TYPE = opaque('kubernetes.URL')

/** The parts of a URL as Go's `url.ParseRequestURI` sees them. */
interface UrlParts {
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly rawQuery: string
  readonly text: string
}
type UrlValue = OpaqueValue<UrlParts>

/** `url('https://…')`, `isURL`, and the getters of what it gives. */
export const URLS_LIBRARY: Library = {
  types: [URL_TYPE],
  functions: [
    declareFunction(
      'url',
      globalOverload(
        'string_to_url',
        [STRING],
        URL_TYPE,
        (text: string) => new OpaqueValue(URL_TYPE, parse(text), (a, b) => a.text === b.text),
      ),
    ),
    declareFunction(
      'isURL',
      globalOverload('is_url_string', [STRING], BOOL, (text: string) => succeeds(() => parse(text))),
    ),
    declareFunction(
      'getScheme',
      memberOverload('url_get_scheme', [URL_TYPE], STRING, (url: UrlValue) => url.held.scheme),
    ),
    declareFunction(
      'getHost',
      memberOverload('url_get_host', [URL_TYPE], STRING, (url: UrlValue) => url.held.host),
    ),
    declareFunction(
      'getHostname',
      memberOverload('url_get_hostname', [URL_TYPE], STRING, (url: UrlValue) => splitHost(url.held.host).hostname),
    ),
    declareFunction(
      'getPort',
      memberOverload('url_get_port', [URL_TYPE], STRING, (url: UrlValue) => splitHost(url.held.host).port),
    ),
    declareFunction(
      'getEscapedPath',
      memberOverload('url_get_escaped_path', [URL_TYPE], STRING, (url: UrlValue) => escapedPath(url.held.path)),
    ),
    declareFunction(
      'getQuery',
      memberOverload('url_get_query', [URL_TYPE], mapOf(STRING, listOf(STRING)), (url: UrlValue) => query(url.held.rawQuery)),
    ),
  ],
}

/** Why a text is no absolute URI or path; undefined if it is one. */
export function requestUriError(text: string): string | undefined {
  try {
    parse(text)
    return undefined
  } catch (error) {
    if (error instanceof EvaluationError) return error.message.replace(/^URL parse error during conversion from string: /, '')
    throw error
  }
}

function parse(text: string): UrlParts {
  const fail = (reason: string) =>
    new EvaluationError(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${reason}`)
  if (text === '') throw fail('empty url')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what Go refuses
  if (/[\x00-\x1f\x7f]/.test(text)) throw fail('net/url: invalid control character in URL')
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]
  if (scheme === undefined && text.startsWith(':')) throw fail('missing protocol scheme')
  const afterScheme = scheme === undefined ? text : text.slice(scheme.length + 1)
  if (!afterScheme.startsWith('/')) throw fail(scheme === undefined ? 'invalid URI for request' : 'invalid URI for request')
  const mark = afterScheme.indexOf('?')
  const beforeQuery = mark < 0 ? afterScheme : afterScheme.slice(0, mark)
  const rawQuery = mark < 0 ? '' : afterScheme.slice(mark + 1)
  const hasAuthority = beforeQuery.startsWith('//') && (scheme !== undefined || !beforeQuery.startsWith('///'))
  const [, authority = '', path = ''] =
    hasAuthority && scheme !== undefined ? /^\/\/([^/]*)(.*)$/s.exec(beforeQuery)! : ['', '', beforeQuery]
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  const port = /:([^\]:]*)$/.exec(host)?.[1]
  if (port !== undefined && !/^\d*$/.test(port)) throw fail(`invalid port ${JSON.stringify(`:${port}`)} after host`)
  if (host.startsWith('[') && !host.includes(']')) throw fail("missing ']' in host")
  const badHost = /[ "<>\\^`{|}]/.exec(host)?.[0]
  if (badHost !== undefined) throw fail(`invalid character ${JSON.stringify(badHost)} in host name`)
  const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/s.exec(path)?.[0]
  if (badEscape !== undefined) throw fail(`invalid URL escape ${JSON.stringify(badEscape)}`)
  return { scheme: (scheme ?? '').toLowerCase(), host, path, rawQuery, text }
}

function splitHost(host: string): { hostname: string; port: string } {
  const port = /:(\d*)$/.exec(host)?.[1]
  const isBareIpv6 = !host.startsWith('[') && host.split(':').length > 2
  const name = port === undefined || isBareIpv6 ? host : host.slice(0, -port.length - 1)
  return { hostname: name.replace(/^\[(.*)\]$/, '$1'), port: isBareIpv6 ? '' : (port ?? '') }
}

/** What the path does not have to escape stays as it is. */
function escapedPath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@!'()*%[\]]/gu, character => encodeURIComponent(character))
}

function query(raw: string): EntryMap {
  const values = new Map<string, string[]>()
  for (const part of raw.split('&')) {
    if (part === '' || part.includes(';')) continue
    const at = part.indexOf('=')
    try {
      const decode = (text: string) => decodeURIComponent(text.replaceAll('+', ' '))
      const key = decode(at < 0 ? part : part.slice(0, at))
      values.set(key, [...(values.get(key) ?? []), at < 0 ? '' : decode(part.slice(at + 1))])
    } catch {
      // What cannot be decoded is left out, as Go's Query does.
    }
  }
  return new EntryMap([...values].map(([key, list]) => [key, new ArrayList(list)]))
}
