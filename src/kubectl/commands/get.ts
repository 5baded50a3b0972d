import type { Command } from 'commander'
import { Option } from 'commander'
import { pathAt } from '#client/http/request-path.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { encodeYaml } from '#machinery/codec/yaml/encode-yaml.ts'
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
import { printTable, type Table } from '../printers/table-printer.ts'
import { pathOf, type Resource, ResourceMapper } from '../resource-mapper.ts'

interface GetFlags extends ClientFlags, MomentFlags {
  readonly allNamespaces?: boolean
  readonly selector?: string
  readonly fieldSelector?: string
  readonly output?: 'wide' | 'json' | 'yaml' | 'name'
  readonly headers: boolean
  readonly ignoreNotFound?: boolean
}

/** One request: a collection, or one object of it. */
interface Asked {
  readonly resource: Resource
  readonly object: string
}

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

export const getVerb: KubectlVerb = context =>
  withMomentFlags(verbCommand('get'))
    .description('Show objects, as they are or as they were.')
    .argument('<what...>', 'a resource and names (pods web-1), or resource/name; several resources with commas between')
    .option('-A, --all-namespaces', 'of all namespaces')
    .option('-l, --selector <labels>', 'those with these labels')
    .option('--field-selector <fields>', 'those with these fields')
    .option('--no-headers', 'without the first line')
    .option('--ignore-not-found', 'say nothing of what is not there')
    .addOption(new Option('-o, --output <format>', 'how').choices(['wide', 'json', 'yaml', 'name']))
    .action((what: string[], flags: GetFlags, _command: Command) => get(what, flags, context))

async function get(what: readonly string[], flags: GetFlags, context: KubectlContext): Promise<void> {
  const moment = momentOf(flags)
  const { client, namespace } = await context.connect(flags)
  using _ = client
  const asked = askedOf(what, await ResourceMapper.of(client))
  const query = queryOf(flags)
  const where = flags.allNamespaces ? '' : namespace
  const isTable = flags.output === undefined || flags.output === 'wide'
  const read = async ({ resource, object }: Asked) => {
    const path = `${pathOf(resource, where, object)}${object === '' ? query : ''}`
    try {
      return await client.raw(moment === undefined ? path : pathAt(moment, path), {
        accept: isTable ? TABLE : 'application/json',
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
    if (items) objects.push(...items.map(item => ({ ...typed(one.resource), ...item })))
    else objects.push(found)
  }
  const isOne = asked.length === 1 && asked[0]!.object !== ''
  context.stdout.write(textOf(objects, isOne, asked, flags.output))
}

interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name?: string; readonly namespace?: string }
  readonly items?: readonly KubernetesObject[]
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

function textOf(objects: readonly KubernetesObject[], isOne: boolean, asked: readonly Asked[], output: GetFlags['output']): string {
  if (output === 'name') {
    return objects.map(({ apiVersion, kind, metadata }) => `${kind.toLowerCase()}${groupOf(apiVersion)}/${metadata.name}\n`).join('')
  }
  if (isOne && objects.length === 0) return ''
  const shown = isOne ? objects[0]! : { apiVersion: 'v1', kind: 'List', items: objects, metadata: { resourceVersion: '' } }
  void asked
  return output === 'yaml' ? encodeYaml(shown) : `${JSON.stringify(shown, null, 4)}\n`
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : `.${apiVersion.slice(0, slash)}`
}

function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`
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

/** In the order in which people read it. */
function typed(resource: Resource): Pick<KubernetesObject, 'apiVersion' | 'kind'> {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind }
}
