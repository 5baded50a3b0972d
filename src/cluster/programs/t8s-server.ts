import '#base/time/dispose.ts'
import { parseArgs } from 'node:util'
import { klog } from '#base/log/klog.ts'
import { realClock } from '#base/time/real-clock.ts'
import { progressToStarter } from '../control-plane-process.ts'
import { silentProgress } from '../progress/progress.ts'
import { jsonProgress } from '../progress/text-progress.ts'
import { readServerRecord, serverLayout } from '../servers/server-record.ts'
import { startServer } from '../servers/start-server.ts'

/** The process of one of several servers: `t8s server` starts it, apart from itself. SIGTERM ends it cleanly. */
const { values } = parseArgs({
  options: { 'data-dir': { type: 'string' }, 'cluster-reset': { type: 'boolean' }, v: { type: 'string', default: '2' } },
})
const clock = realClock()
const log = klog({ write: line => process.stderr.write(line), clock, pid: process.pid, verbosity: Number(values.v) })
const record = values['data-dir'] === undefined ? undefined : readServerRecord(values['data-dir'])
if (!record) {
  process.stderr.write('t8s-server: there is no server in this --data-dir; "t8s server" makes one.\n')
  process.exit(1)
}

const starter = progressToStarter(process.env)
const starting = startServer({
  layout: serverLayout(record, values['data-dir']!),
  clock,
  log,
  progress: starter ? jsonProgress(starter, clock) : silentProgress,
  reset: values['cluster-reset'] === true,
  removed() {
    log.error('this server was removed from the cluster by another one: "t8s down --purge" clears it away, then it can join again')
    process.exit(75)
  },
})

let isStopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) process.exit(1)
    isStopping = true
    log.info('stopping', { signal })
    void starting.then(server => server.stop()).then(() => process.exit(0))
  })
}

await starting
starter?.write(`${JSON.stringify({ event: 'ready' })}\n`)
log.info('the server is up', { server: record.serverName, cluster: record.cluster.name })
