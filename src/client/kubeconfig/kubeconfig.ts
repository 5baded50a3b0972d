import { parseYaml } from '#machinery/codec/yaml/parse-yaml.ts'

/** A kubeconfig file: clusters, users and the pairs of them that are called contexts. */
export interface Kubeconfig {
  readonly currentContext: string
  readonly clusters: ReadonlyMap<string, KubeconfigCluster>
  readonly users: ReadonlyMap<string, KubeconfigUser>
  readonly contexts: ReadonlyMap<string, KubeconfigContext>
}

export interface KubeconfigCluster {
  readonly server: string
  readonly certificateAuthority?: string | undefined
  /** Base64 of PEM. */
  readonly certificateAuthorityData?: string | undefined
  readonly insecureSkipTlsVerify?: boolean | undefined
  readonly tlsServerName?: string | undefined
  readonly proxyUrl?: string | undefined
  readonly extensions?: readonly { readonly name: string; readonly extension: unknown }[] | undefined
}

/** The extension of a cluster that names its other servers; clients that do not know it leave it alone. */
const SERVERS_EXTENSION = 'typernetes.dev/servers'

export interface KubeconfigUser {
  readonly clientCertificate?: string | undefined
  readonly clientCertificateData?: string | undefined
  readonly clientKey?: string | undefined
  readonly clientKeyData?: string | undefined
  readonly token?: string | undefined
  readonly tokenFile?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly as?: string | undefined
  readonly asUid?: string | undefined
  readonly asGroups?: readonly string[] | undefined
  readonly exec?:
    | { readonly command: string; readonly args?: readonly string[]; readonly env?: readonly unknown[]; readonly apiVersion?: string }
    | undefined
}

export interface KubeconfigContext {
  readonly cluster: string
  readonly user: string
  readonly namespace?: string | undefined
}

/** The text says something that a kubeconfig cannot. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError'
}

/** Reads a kubeconfig. Throws {@link KubeconfigError}. */
export function parseKubeconfig(text: string): Kubeconfig {
  const root = parseYaml(text)
  if (typeof root !== 'object' || root === null || Array.isArray(root))
    throw new KubeconfigError('the kubeconfig is no mapping: it must have clusters, users and contexts')
  const config = root as Record<string, unknown>
  return {
    currentContext: typeof config['current-context'] === 'string' ? config['current-context'] : '',
    clusters: entries<KubeconfigCluster>(config, 'clusters', 'cluster'),
    users: entries<KubeconfigUser>(config, 'users', 'user'),
    contexts: entries<KubeconfigContext>(config, 'contexts', 'context'),
  }
}

/** Several files as one: what an earlier one says wins, as with `KUBECONFIG=a:b`. */
export function mergeKubeconfigs(configs: readonly Kubeconfig[]): Kubeconfig {
  const merged = <T>(of: (config: Kubeconfig) => ReadonlyMap<string, T>) =>
    new Map([...configs].reverse().flatMap(config => [...of(config)]))
  return {
    currentContext: configs.find(({ currentContext }) => currentContext !== '')?.currentContext ?? '',
    clusters: merged(({ clusters }) => clusters),
    users: merged(({ users }) => users),
    contexts: merged(({ contexts }) => contexts),
  }
}

/** What a context stands for. */
export interface ResolvedContext {
  readonly name: string
  readonly cluster: KubeconfigCluster
  readonly user: KubeconfigUser
  readonly namespace: string
}

/** The cluster and user of a context; of the current one where none is named. Throws {@link KubeconfigError}. */
export function resolveContext(config: Kubeconfig, name: string = config.currentContext): ResolvedContext {
  if (name === '') throw new KubeconfigError('no context was chosen: set current-context in the kubeconfig, or name one')
  const context = config.contexts.get(name)
  if (!context) throw new KubeconfigError(`context "${name}" does not exist`)
  const cluster = config.clusters.get(context.cluster)
  if (!cluster?.server) throw new KubeconfigError(`cluster "${context.cluster}" of context "${name}" does not exist or names no server`)
  const user = config.users.get(context.user)
  if (!user && context.user !== '') throw new KubeconfigError(`user "${context.user}" of context "${name}" does not exist`)
  return { name, cluster, user: user ?? {}, namespace: context.namespace || 'default' }
}

/** The servers of a cluster beside `server`: `extensions: [{name: typernetes.dev/servers, extension: {servers: [https://…]}}]`. Throws {@link KubeconfigError}. */
export function otherServersOf({ server, extensions = [] }: KubeconfigCluster): string[] {
  const extension = extensions.find(({ name }) => name === SERVERS_EXTENSION)?.extension
  if (extension === undefined) return []
  const { servers } = (extension ?? {}) as { readonly servers?: unknown }
  const isServer = (one: unknown): one is string => typeof one === 'string' && /^https?:\/\/./.test(one)
  if (!Array.isArray(servers) || !servers.every(isServer)) {
    throw new KubeconfigError(`the extension ${SERVERS_EXTENSION} of a cluster must be {servers: [https://host:port, …]}`)
  }
  return servers.map(one => one.replace(/\/+$/, '')).filter(one => one !== server.replace(/\/+$/, ''))
}

/** A list of `{ name, <key>: … }` as a map; the first of a name counts. */
function entries<T>(config: Record<string, unknown>, list: string, key: string): Map<string, T> {
  const found = new Map<string, T>()
  const items = config[list] ?? []
  if (!Array.isArray(items)) throw new KubeconfigError(`${list} of the kubeconfig is no list`)
  for (const item of items) {
    const { name, [key]: value } = (item ?? {}) as Record<string, unknown>
    if (typeof name !== 'string') throw new KubeconfigError(`an entry of ${list} in the kubeconfig has no name`)
    if (!found.has(name)) found.set(name, camelCased(value ?? {}) as T)
  }
  return found
}

/** `client-certificate-data` is `clientCertificateData`. */
function camelCased(value: unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value as object).map(([key, field]) => [key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()), field]),
  )
}
