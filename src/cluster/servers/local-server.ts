import { SetupError } from '../setup-error.ts'
import { readServerRecord, type ServerLayout, serverLayout } from './server-record.ts'

/** The server in a data directory. Throws a SetupError where there is none. */
export function localServer(dataDir: string): ServerLayout {
  const record = readServerRecord(dataDir)
  if (record) return serverLayout(record, dataDir)
  throw new SetupError(
    `There is no server in ${dataDir}`,
    'run this on a machine where "t8s server" runs, or name its directory with --data-dir',
  )
}
