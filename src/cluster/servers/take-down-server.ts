import { endProcess, readPidFile } from '#base/process/running-process.ts'
import { clusterProcess, stopClusterProcess } from '../control-plane-process.ts'
import type { Progress } from '../progress/progress.ts'
import { readServerRecord, serverLayout } from './server-record.ts'

/** Ends the server in a data directory, if there is one; it stays a member of its cluster. */
export async function takeServerDown(
  dataDir: string,
  progress: Progress,
  options: { readonly purge: boolean },
): Promise<'down' | 'absent'> {
  const record = readServerRecord(dataDir)
  if (!record) return 'absent'
  const layout = serverLayout(record, dataDir)
  if (clusterProcess(layout)) await progress.step('stop the server', () => stopClusterProcess(layout))
  const etcd = readPidFile(layout.etcdPidFile) // left by a server that was killed
  if (etcd) await progress.step('stop etcd', async () => void (await endProcess(etcd)))
  if (options.purge) {
    progress.warn(
      `"${record.serverName}" is still a member of the cluster if nobody took it out: run "t8s server remove ${record.serverName}" on another server`,
    )
  }
  return 'down'
}
