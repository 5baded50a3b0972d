import type { Command } from 'commander'
import { Option } from 'commander'
import { pathAt } from '#client/http/request-path.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import {
  type ClientFlags,
  type KubectlContext,
  type KubectlVerb,
  type MomentFlags,
  momentOf,
  UsageError,
  verbCommand,
  withMomentFlags,
} from '../kubectl-verb.ts'
import { type KubernetesObject, listText, type ObjectFormat, objectText } from '../printers/object-printer.ts'
import { printTable, type Table } from '../printers/table-printer.ts'
import { pathOf, type Resource, ResourceMapper, typeOf } from '../resource-mapper.ts'
import { acceptOf, watchObjects } from './watch-objects.ts'

export interface GetFlags extends ClientFlags, MomentFlags {
  readonly allNamespaces?: boolean
  readonly selector?: string
  readonly fieldSelector?: string
  readonly output?: 'wide' | ObjectFormat
  readonly headers: boolean
  readonly ignoreNotFound?: boolean
  readonly watch?: boolean
  readonly watchOnly?: boolean
  readonly outputWatchEvents?: boolean
}

/** One request: a collection, or one object of it. */
export interface Asked {
  readonly resource: Resource
  readonly object: string
}

export const getVerb: KubectlVerb = context =>
  withMomentFlags(verbCommand('get'))
    .description('Show objects, as they are or as they were.')
    .argument('<what...>', 'a resource and names (pods web-1), or resource/name; several resources with commas between')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-l, --selector <labels>', 'those with these labels')
    .option('--field-selector <fields>', 'those with these fields')
    .option('-w, --watch', 'then go on showing them as they change')
    .option('--watch-only', 'show only what changes from now on')
    .option('--output-watch-events', 'with one of these: say what has happened to each (ADDED, MODIFIED, DELETED)')
    .option('--no-headers', 'without the first line')
    .option('--ignore-not-found', 'say nothing of what is not there')
    .addOption(new Option('-o, --output <format>', 'how').choices(['wide', 'json', 'yaml', 'name']))
    .action((what: string[], flags: GetFlags, _command: Command) => get(what, flags, context))

async function get(what: readonly string[], flags: GetFlags, context: KubectlContext): Promise<void> {
  const moment = momentOf(flags)
  const isWatch = flags.watch === true || flags.watchOnly === true
  if (isWatch && moment !== undefined) throw new UsageError('--watch shows what happens from now on, and --at what was: give one of them')
  if (flags.outputWatchEvents && !isWatch)
    throw new UsageError('--output-watch-events option can only be used with --watch or --watch-only')
  const { client, namespace } = await context.connect(flags)
  using _ = client
  const asked = askedOf(what, await ResourceMapper.of(client))
  const query = queryOf(flags)
  const where = flags.allNamespaces ? '' : namespace
  if (isWatch) {
    if (asked.length > 1)
      throw new UsageError('watch is only supported on individual resources and resource collections - more than 1 resource was found')
    return await watchObjects(asked[0]!, { client, namespace: where, flags, context })
  }
  const isTable = flags.output === undefined || flags.output === 'wide'
  const read = async ({ resource, object }: Asked) => {
    const path = `${pathOf(resource, where, object)}${object === '' ? query : ''}`
    try {
      return await client.raw(moment === undefined ? path : pathAt(moment, path), {
        accept: acceptOf(flags),
        signal: context.signal,
      })
    } catch (error) {
      if (flags.ignoreNotFound && (error as { code?: number }).code === 404) return undefined
      throw error
    }
  }
  if (isTable) return await printTables(asked, read, flags, context, where)
  const objects: KubernetesObject[] = []
  for (const one of asked) {
    const text = await read(one)
    if (text === undefined) continue
    const found = parseJson(text) as KubernetesObject
    // Items of a list do not say themselves what they are.
    const { items } = found
    if (items) objects.push(...items.map(item => ({ ...typeOf(one.resource), ...item })))
    else objects.push(found)
  }
  const isOne = asked.length === 1 && asked[0]!.object !== ''
  const format = flags.output as ObjectFormat
  if (isOne) context.stdout.write(objects[0] ? objectText(objects[0], format) : '')
  else context.stdout.write(listText(objects, format))
}

/** `pods`, `pods web-1 web-2`, `deploy/web svc/web`, `pods,services`. */
export function askedOf(what: readonly string[], mapper: ResourceMapper): Asked[] {
  const isSlashed = what.some(word => word.includes('/'))
  if (isSlashed) {
    return what.map(word => {
      const [type = '', object = '', ...rest] = word.split('/')
      if (object === '' || rest.length > 0)
        throw new UsageError(
          `there is no need to specify a resource type as a separate argument when passing arguments in resource/name form: "${word}" is not of that form`,
        )
      return { resource: one(mapper.find(type), word), object }
    })
  }
  const [types = '', ...names] = what
  const resources = mapper.find(types)
  if (names.length === 0) return resources.map(resource => ({ resource, object: '' }))
  return resources.flatMap(resource => names.map(object => ({ resource, object })))
}

function one(resources: readonly Resource[], word: string): Resource {
  if (resources.length !== 1) throw new UsageError(`"${word}" names several resources: name one`)
  return resources[0]!
}

async function printTables(
  asked: readonly Asked[],
  read: (one: Asked) => Promise<string | undefined>,
  flags: GetFlags,
  context: KubectlContext,
  namespace: string,
): Promise<void> {
  const tables = new Map<Resource, Table>()
  for (const one of asked) {
    const text = await read(one)
    if (text === undefined) continue
    const table = parseJson(text) as Table
    const known = tables.get(one.resource)
    tables.set(one.resource, known ? { ...known, rows: [...known.rows, ...table.rows] } : table)
  }
  const found = [...tables].filter(([, { rows }]) => rows.length > 0)
  if (found.length === 0 && !flags.ignoreNotFound) {
    const isNamespaced = asked.some(({ resource }) => resource.isNamespaced)
    context.stderr.write(isNamespaced && namespace !== '' ? `No resources found in ${namespace} namespace.\n` : 'No resources found\n')
  }
  const prefix = ({ name, group }: Resource) => (tables.size > 1 ? `${singular(name)}${group ? `.${group}` : ''}/` : '')
  const texts = found.map(([resource, table]) =>
    printTable(table, {
      isWide: flags.output === 'wide',
      withNamespace: flags.allNamespaces === true && resource.isNamespaced,
      prefix: prefix(resource),
      withoutHeaders: !flags.headers,
    }),
  )
  context.stdout.write(texts.join('\n'))
}

function singular(plural: string): string {
  return plural.endsWith('ies') ? `${plural.slice(0, -3)}y` : plural.replace(/(?<=(s|x|ch))es$|s$/, '')
}

function queryOf({ selector, fieldSelector }: GetFlags): string {
  const query = new URLSearchParams({
    ...(selector ? { labelSelector: selector } : {}),
    ...(fieldSelector ? { fieldSelector } : {}),
  }).toString()
  return query === '' ? '' : `?${query}`
}
