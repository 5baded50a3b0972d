import '#base/time/dispose.ts'
import { parseArgs } from 'node:util'
import { klog } from '#base/log/klog.ts'
import { realClock } from '#base/time/real-clock.ts'
import { readAgentCertificates } from '../agents/agent-certificates.ts'
import { agentLayout, readAgentRecord } from '../agents/agent-record.ts'
import { startAgent } from '../agents/start-agent.ts'
import { progressToStarter } from '../control-plane-process.ts'
import { silentProgress } from '../progress/progress.ts'
import { jsonProgress } from '../progress/text-progress.ts'

/** The process of a machine that is a node: `t8s agent` starts it, apart from itself. SIGTERM ends it; containers run on. */
const { values } = parseArgs({ options: { 'data-dir': { type: 'string' }, v: { type: 'string', default: '2' } } })
const clock = realClock()
const log = klog({ write: line => process.stderr.write(line), clock, pid: process.pid, verbosity: Number(values.v) })
const record = values['data-dir'] === undefined ? undefined : readAgentRecord(values['data-dir'])
const layout = record && agentLayout(record, values['data-dir']!)
const certificates = layout && readAgentCertificates(layout.certificatesDir)
if (!layout || !certificates) {
  process.stderr.write('t8s-agent: there is no node in this --data-dir; "t8s agent" makes one.\n')
  process.exit(1)
}

const starter = progressToStarter(process.env)
const starting = startAgent({ layout, certificates, clock, log, progress: starter ? jsonProgress(starter, clock) : silentProgress })

let isStopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) process.exit(1)
    isStopping = true
    log.info('stopping', { signal })
    void starting.then(agent => agent.stop()).then(() => process.exit(0))
  })
}

await starting
starter?.write(`${JSON.stringify({ event: 'ready' })}\n`)
log.info('the node is up', { node: layout.nodeName, cluster: layout.cluster.name })
