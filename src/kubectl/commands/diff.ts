import type { HttpClient } from '#client/http/http-client.ts'
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
import { pathOf, type Resource, ResourceMapper } from '../resource-mapper.ts'
import { askedOf } from './get.ts'

interface DiffFlags extends ClientFlags, MomentFlags {
  readonly showManagedFields?: boolean
}

export const diffVerb: KubectlVerb = context =>
  withMomentFlags(verbCommand('diff'))
    .description('Show how objects differ from what they were. Ends with 1 if anything does.')
    .argument('<what...>', 'deploy/web, or a resource and names; a resource alone: all of the namespace')
    .option('--show-managed-fields', 'with who owns which field')
    .action((what: string[], flags: DiffFlags) => diff(what, flags, context))

async function diff(what: readonly string[], flags: DiffFlags, context: KubectlContext): Promise<void> {
  const moment = momentOf(flags)
  if (moment === undefined) throw new UsageError('diff needs to know from when: give --at=-10m, or --at-revision')
  const { client, namespace } = await context.connect(flags)
  using _ = client
  // What "so long ago" means is fixed once, so that all objects are of one moment.
  const { status } = parseJson(await client.raw(`/apis/typernetes.dev/v1/moments/${encodeURIComponent(moment)}`)) as Moment
  let differs = false
  for (const { resource, object } of askedOf(what, await ResourceMapper.of(client))) {
    const path = pathOf(resource, namespace, object)
    const [before, after] = await Promise.all([
      read(client, pathAt(status.resourceVersion, path), resource, flags),
      read(client, path, resource, flags),
    ])
    if (object !== '' && before.size === 0 && after.size === 0)
      throw new UsageError(`${resource.name} "${object}" is not there, and was not at resourceVersion ${status.resourceVersion}`)
    for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
      const file = `${resource.name}${resource.group ? `.${resource.group}` : ''}/${name}`
      const texts = [before, after].map(found => found.get(name) ?? '') as [string, string]
      if (texts[0] === texts[1]) continue
      const then = { name: `${file} at ${status.resourceVersion}`, text: texts[0] }
      if (await context.compare(then, { name: `${file} now`, text: texts[1] })) differs = true
    }
  }
  if (differs) context.differs()
}

interface Moment {
  readonly status: { readonly resourceVersion: string }
}

interface Readable {
  readonly metadata: { readonly name?: string; readonly namespace?: string; readonly managedFields?: unknown }
}

/** Objects as YAML, by namespace and name; none where there is none. */
async function read(client: HttpClient, path: string, { kind, group, version }: Resource, flags: DiffFlags): Promise<Map<string, string>> {
  try {
    const found = parseJson(await client.raw(path)) as Readable & { readonly items?: readonly Readable[] }
    const apiVersion = group === '' ? version : `${group}/${version}`
    return new Map((found.items ?? [found]).map(object => [nameOf(object), encodeYaml({ apiVersion, kind, ...shown(object, flags) })]))
  } catch (error) {
    if ((error as { code?: number }).code === 404) return new Map()
    throw error
  }
}

function shown(object: Readable, { showManagedFields }: DiffFlags): object {
  if (showManagedFields) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

function nameOf({ metadata: { namespace, name } }: Readable): string {
  return namespace ? `${namespace}/${name}` : `${name}`
}
