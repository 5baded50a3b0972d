import { parseJson } from '#machinery/codec/json/parse-json.ts'
import type { AnyKind } from '#machinery/kind/kind.ts'
import { isNotFound } from '#machinery/status/status-error.ts'

/**
 * Those of `kinds` that a server serves, by its discovery. Rejects if the server cannot be asked.
 *
 * @param raw any GET of the server, as text
 */
export async function servedAmong(kinds: readonly AnyKind[], raw: (path: string) => Promise<string>): Promise<readonly AnyKind[]> {
  const versions = [...new Set(kinds.map(({ apiVersion }) => apiVersion))]
  const resources = new Map(await Promise.all(versions.map(async version => [version, await resourcesOf(version, raw)] as const)))
  return kinds.filter(({ apiVersion, plural }) => resources.get(apiVersion)?.has(plural))
}

async function resourcesOf(apiVersion: string, raw: (path: string) => Promise<string>): Promise<ReadonlySet<string>> {
  try {
    const { resources = [] } = parseJson(await raw(`/apis/${apiVersion}`)) as { resources?: readonly { readonly name: string }[] }
    return new Set(resources.map(({ name }) => name))
  } catch (error) {
    if (isNotFound(error)) return new Set()
    throw error
  }
}
