import { writeKept } from '../certificates/certificate-files.ts'
import type { ClusterFacts } from '../join/join-messages.ts'
import { readRecord } from './server-record.ts'

/**
 * The networks of a cluster, kept with its keys: who begins it anew from a backup needs both, since Services and pods have addresses in them.
 */
const FILE = 'cluster.json'

export function writeClusterFacts(certificatesDir: string, facts: ClusterFacts): void {
  writeKept(certificatesDir, FILE, `${JSON.stringify({ version: 1, cluster: facts }, null, 2)}\n`)
}

/** Undefined where there are none. */
export function readClusterFacts(certificatesDir: string): ClusterFacts | undefined {
  return readRecord<{ readonly version: 1; readonly cluster: ClusterFacts }>(certificatesDir, FILE)?.cluster
}
