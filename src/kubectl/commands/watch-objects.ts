import type { HttpClient } from '#client/http/http-client.ts'
import { LineSplitter } from '#client/http/line-splitter.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { type Status, StatusError } from '#machinery/status/status-error.ts'
import type { KubectlContext } from '../kubectl-verb.ts'
import { type KubernetesObject, objectText, textOf } from '../printers/object-printer.ts'
import { type Table, tablePrinter } from '../printers/table-printer.ts'
import { pathOf, typeOf } from '../resource-mapper.ts'
import type { Asked, GetFlags } from './get.ts'

export interface WatchOptions {
  readonly client: HttpClient
  /** '' for all. */
  readonly namespace: string
  readonly flags: GetFlags
  readonly context: Pick<KubectlContext, 'stdout' | 'signal'>
}

/** The media type to ask for: Tables are made by the server. */
export function acceptOf({ output }: GetFlags): string {
  const isTable = output === undefined || output === 'wide'
  return isTable ? 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' : 'application/json'
}

/**
 * `get --watch`: prints what is there, then every change, until the signal aborts. The watch goes on from the list, and from the last event
 * when the server ends it, so that nothing is left out or shown twice.
 *
 * @throws StatusError what the server said: `NotFound` for one object that is not there, `Expired` when the watch cannot go on.
 */
export async function watchObjects(asked: Asked, options: WatchOptions): Promise<void> {
  const { client, flags, context, namespace } = options
  const { signal } = context
  const { resource, object } = asked
  const accept = acceptOf(flags)
  const path = (query: Record<string, string>) =>
    `${pathOf(resource, namespace)}?${new URLSearchParams({ ...selectorsOf(asked, flags), ...query })}`
  const print = printerOf(asked, flags)
  const list = parseJson(await client.raw(path({}), { accept, signal })) as ObjectList
  // Whether one object is there says the server better than an empty list.
  if (object !== '' && itemsOf(list).length === 0) await client.raw(pathOf(resource, namespace, object), { signal })
  if (!flags.watchOnly) context.stdout.write(print.list(list))

  let resourceVersion = list.metadata.resourceVersion
  while (!signal.aborted) {
    const ending = new AbortController()
    let failure: unknown
    const lines = new LineSplitter(line => {
      if (failure !== undefined) return
      try {
        const { type, object } = parseJson(line) as { type: string; object: Table & KubernetesObject }
        if (type === 'ERROR') throw StatusError.from(object as unknown as Status)
        resourceVersion = object.metadata.resourceVersion || object.rows?.[0]?.object?.metadata?.resourceVersion || resourceVersion
        if (type !== 'BOOKMARK') context.stdout.write(print.event(type, object))
      } catch (error) {
        failure = error
        ending.abort(error)
      }
    })
    const request = path({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: resourceVersion ?? '' })
    try {
      await client.download(request, chunk => lines.push(chunk), { accept, signal: AbortSignal.any([signal, ending.signal]) })
    } catch (error) {
      failure ??= error
    }
    if (failure !== undefined && !signal.aborted) throw failure
  }
}

interface ObjectList {
  readonly metadata: { readonly resourceVersion?: string }
  readonly items?: readonly KubernetesObject[]
  readonly rows?: Table['rows']
}

function itemsOf({ items, rows }: ObjectList): readonly unknown[] {
  return rows ?? items ?? []
}

/** One object is watched as a collection of one: so its watch begins where the list ended. */
function selectorsOf({ object }: Asked, { selector, fieldSelector }: GetFlags): Record<string, string> {
  if (object !== '') return { fieldSelector: `metadata.name=${object}` }
  return { ...(selector ? { labelSelector: selector } : {}), ...(fieldSelector ? { fieldSelector } : {}) }
}

interface Printer {
  list(list: ObjectList): string
  event(type: string, object: Table & KubernetesObject): string
}

function printerOf({ resource }: Asked, { output, allNamespaces, headers, outputWatchEvents: withEvents = false }: GetFlags): Printer {
  if (output === undefined || output === 'wide') {
    const withNamespace = allNamespaces === true && resource.isNamespaced
    const print = tablePrinter({ isWide: output === 'wide', withNamespace, prefix: '', withoutHeaders: !headers, withEvents })
    return { list: list => print(list as Table, 'ADDED'), event: (type, table) => print(table, type) }
  }
  let printed = 0
  const event = (type: string, object: KubernetesObject) => {
    const between = output === 'yaml' && printed++ > 0 ? '---\n' : ''
    return between + (withEvents && output !== 'name' ? textOf({ type, object }, output) : objectText(object, output))
  }
  return { list: ({ items = [] }) => items.map(item => event('ADDED', { ...typeOf(resource), ...item })).join(''), event }
}
