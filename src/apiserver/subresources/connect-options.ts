import type { AnyKind, ApiObject, Mutable } from '#machinery/kind/kind.ts'
import { flagOf } from '../http/options.ts'
import type { ConnectCall } from './connect.ts'

/** What a request that leads out of the server asks for, as the object that admission looks at: `PodExecOptions` and its like. */
export function connectOptions(of: AnyKind, subresource: string, { query, path }: ConnectCall): Mutable<ApiObject> {
  const kind = of.subresources.find(({ name }) => name === subresource)?.kind?.kind ?? of.kind
  return { kind, apiVersion: 'v1', ...fieldsOf(subresource, query, path) } as unknown as Mutable<ApiObject>
}

const ENDS = ['stdin', 'stdout', 'stderr', 'tty'] as const

function fieldsOf(subresource: string, query: URLSearchParams, path: string): object {
  switch (subresource) {
    case 'exec':
    case 'attach': {
      const ends = ENDS.filter(end => flagOf(query, end)).map(end => [end, true] as const)
      const container = query.get('container')
      const command = query.getAll('command')
      return {
        ...Object.fromEntries(ends),
        ...(container ? { container } : {}),
        ...(command.length > 0 && subresource === 'exec' ? { command } : {}),
      }
    }
    case 'portforward': {
      const ports = query
        .getAll('ports')
        .flatMap(text => text.split(','))
        .filter(text => /^\d+$/.test(text))
      return ports.length > 0 ? { ports: ports.map(Number) } : {}
    }
    default:
      return path === '' ? {} : { path }
  }
}
