import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeKept } from '../certificates/certificate-files.ts'
import { ENCRYPTION_FILE } from '../certificates/shared-secrets.ts'
import { clusterProcess } from '../control-plane-process.ts'
import type { ClusterFacts } from '../join/join-messages.ts'
import { readAllocation } from '../layout/data-directory.ts'
import { type ClusterLayout, layoutOf } from '../layout/layout.ts'
import { SetupError } from '../setup-error.ts'

const KEPT = ['ca.crt', 'ca.key', 'front-proxy-ca.crt', 'front-proxy-ca.key', 'sa.pub', 'sa.key']

/** A cluster of `t8s up` that is down and is to be continued by servers. */
export function clusterToContinue(dataDir: string): ClusterLayout {
  const allocation = readAllocation(dataDir)
  if (!allocation) throw new SetupError(`There is no cluster of "t8s up" in ${dataDir}`, 'name its data directory with --from')
  const layout = layoutOf(allocation, dataDir)
  if (clusterProcess(layout)) throw new SetupError(`The cluster in ${dataDir} is running`, `run "t8s down --data-dir ${dataDir}" first`)
  return layout
}

/** What its servers have to know; networks stay, since Services have addresses in them. */
export function factsOf({ name, podCidr, serviceCidr, nodePortRange, dnsAddress }: ClusterLayout): ClusterFacts {
  return { name, podCidr, serviceCidr, nodePortRange, dnsAddress }
}

/** Takes its authorities and keys over: kubeconfigs, tokens and encrypted Secrets stay good. */
export function takeKeysOver(from: ClusterLayout, certificatesDir: string): void {
  for (const name of KEPT) writeKept(certificatesDir, name, readFileSync(join(from.certificatesDir, name), 'utf8'))
  if (existsSync(from.encryptionFile)) writeKept(certificatesDir, ENCRYPTION_FILE, readFileSync(from.encryptionFile, 'utf8'))
}
