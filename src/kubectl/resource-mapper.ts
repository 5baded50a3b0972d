import type { HttpClient } from '#client/http/http-client.ts'
import { parseJson } from '#machinery/codec/json/parse-json.ts'
import { UsageError } from './kubectl-verb.ts'

/** A resource as a server serves it. */
export interface Resource {
  readonly group: string
  readonly version: string
  /** Plural. */
  readonly name: string
  readonly kind: string
  readonly isNamespaced: boolean
  readonly names: ReadonlySet<string>
  readonly categories: readonly string[]
  readonly verbs: readonly string[]
}

/** The resources of a server by what people call them: `po`, `pod`, `pods`, `deployments.apps`, `deployments.v1.apps`. */
export class ResourceMapper {
  readonly #all: readonly Resource[]

  private constructor(all: readonly Resource[]) {
    this.#all = all
  }

  /** Asks a server what it serves: two requests. */
  static async of(client: HttpClient): Promise<ResourceMapper> {
    const documents = await Promise.all(['/api', '/apis'].map(path => client.raw(path, { accept: AGGREGATED })))
    return new ResourceMapper(documents.flatMap(text => resourcesOf(parseJson(text) as Discovery)))
  }

  /** The resources that a word of the command line names, with commas between: one each, or all of a category. */
  find(words: string): Resource[] {
    return words.split(',').flatMap(word => {
      const found = this.#one(word)
      if (found) return found
      const category = this.#all.filter(({ categories, verbs }) => categories.includes(word) && verbs.includes('list'))
      if (category.length === 0) throw new UsageError(`the server doesn't have a resource type "${word}"`)
      return category
    })
  }

  #one(word: string): Resource | undefined {
    const [name = '', ...rest] = word.toLowerCase().split('.')
    const named = this.#all.filter(({ names }) => names.has(name))
    if (rest.length === 0) return named[0]
    const where = rest.join('.')
    return (
      named.find(({ group, version }) => group === where || `${version}.${group}` === where || (group === '' && version === where)) ??
      // `ep.core` and the like, where a prefix of the group is enough.
      named.find(({ group }) => group.startsWith(`${where}.`))
    )
  }
}

/** The path of a resource's collection, or of one object. */
export function pathOf({ group, version, name, isNamespaced }: Resource, namespace: string, object = ''): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const within = isNamespaced && namespace !== '' ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${within}/${name}${object === '' ? '' : `/${encodeURIComponent(object)}`}`
}

/** What an object of a resource says of itself first, in the order in which people read it. */
export function typeOf({ group, version, kind }: Resource): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind }
}

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

interface Discovery {
  readonly items?: readonly {
    readonly metadata: { readonly name?: string }
    readonly versions: readonly {
      readonly version: string
      readonly resources?: readonly {
        readonly resource: string
        readonly responseKind?: { readonly kind: string }
        readonly scope: 'Namespaced' | 'Cluster'
        readonly singularResource?: string
        readonly shortNames?: readonly string[]
        readonly categories?: readonly string[]
        readonly verbs: readonly string[]
      }[]
    }[]
  }[]
}

/** In the server's order of preference. */
function resourcesOf({ items = [] }: Discovery): Resource[] {
  return items.flatMap(({ metadata, versions }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map(({ resource, responseKind, scope, singularResource = '', shortNames = [], categories = [], verbs }) => {
        const kind = responseKind?.kind ?? ''
        return {
          group: metadata.name ?? '',
          version,
          name: resource,
          kind,
          isNamespaced: scope === 'Namespaced',
          names: new Set([resource, singularResource, kind.toLowerCase(), ...shortNames]),
          categories,
          verbs,
        }
      }),
    ),
  )
}
