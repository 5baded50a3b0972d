import type { AnyKind } from '#machinery/kind/kind.ts'
import { builtInKinds } from './kinds.ts'
import { optionalKinds } from './optional-kinds.ts'

/** What `--runtime-config` asks for: `group/version`, `group/version/resource`, or `api/all`, `api/ga`, `api/beta`, `api/alpha`; whether to serve it. */
export type RuntimeConfig = Readonly<Record<string, boolean>>

/** The kinds that a server serves, and what it was asked for in vain. */
export interface ServedKinds {
  readonly kinds: readonly AnyKind[]
  /** Entries that say to serve what this server does not have. */
  readonly unknown: readonly string[]
}

/** The API server cannot work without these: what it decides with, and what it keeps itself. */
const NEEDED: ReadonlySet<string> = new Set([
  'v1',
  'admissionregistration.k8s.io/v1',
  'apiextensions.k8s.io/v1',
  'apiregistration.k8s.io/v1',
  'authentication.k8s.io/v1',
  'authorization.k8s.io/v1',
  'coordination.k8s.io/v1',
  'discovery.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1',
  'networking.k8s.io/v1',
  'node.k8s.io/v1',
  'rbac.authorization.k8s.io/v1',
  'scheduling.k8s.io/v1',
  'storage.k8s.io/v1',
])

/**
 * The built-in kinds that are served: stable APIs unless they are switched off, others if they are switched on. What names more counts
 * more: a resource before its version, a version before all of a level, a level before all.
 *
 * Throws when something is switched off that the API server itself needs.
 */
export function servedKinds(asked: RuntimeConfig): ServedKinds {
  const chosen = [...builtInKinds, ...optionalKinds].filter(kind => {
    const isServed = verdictOn(kind, asked) ?? isStable(kind)
    if (!isServed && NEEDED.has(kind.apiVersion)) {
      throw new Error(`--runtime-config: ${kind.plural} of ${kind.apiVersion} cannot be switched off, the API server needs them itself`)
    }
    return isServed
  })
  // Objects are stored in one version: without it there is nothing to show in another.
  const kinds = chosen.filter(({ view }) => !view || chosen.includes(view.of))
  const unknown = Object.keys(asked).filter(entry => asked[entry] && !isLevel(entry) && !kinds.some(kind => names(entry, kind)))
  return { kinds, unknown }
}

function verdictOn(kind: AnyKind, asked: RuntimeConfig): boolean | undefined {
  const level = /alpha/.test(kind.version) ? 'alpha' : /beta/.test(kind.version) ? 'beta' : 'ga'
  const keys = [`${kind.apiVersion}/${kind.plural}`, kind.apiVersion, `api/${level}`]
  // `api/all=false` leaves upstream with the core group alone; here it leaves what the server needs.
  const all = asked['api/all'] === false && NEEDED.has(kind.apiVersion) ? undefined : asked['api/all']
  for (const key of keys) if (Object.hasOwn(asked, key)) return asked[key]
  return all
}

const isStable = ({ version }: AnyKind) => /^v\d+$/.test(version)
const isLevel = (entry: string) => ['api/all', 'api/ga', 'api/beta', 'api/alpha', 'api/legacy'].includes(entry)
const names = (entry: string, { apiVersion, plural }: AnyKind) => entry === apiVersion || entry === `${apiVersion}/${plural}`
