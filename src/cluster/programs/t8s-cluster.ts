import '#base/time/dispose.ts'
import { parseArgs } from 'node:util'
import { klog } from '#base/log/klog.ts'
import { realClock } from '#base/time/real-clock.ts'
import { startCluster } from '../components/cluster.ts'
import { progressToStarter } from '../control-plane-process.ts'
import { readAllocation } from '../layout/data-directory.ts'
import { layoutOf } from '../layout/layout.ts'
import { silentProgress } from '../progress/progress.ts'
import { jsonProgress } from '../progress/text-progress.ts'

/** The process of a cluster: `t8s up` starts it, apart from itself, once machine and nodes are ready. SIGTERM ends it cleanly. */
const { values } = parseArgs({ options: { 'data-dir': { type: 'string' }, v: { type: 'string', default: '2' } } })
const clock = realClock()
const log = klog({ write: line => process.stderr.write(line), clock, pid: process.pid, verbosity: Number(values.v) })
const allocation = values['data-dir'] === undefined ? undefined : readAllocation(values['data-dir'])
if (!allocation) {
  process.stderr.write('t8s-cluster: there is no cluster in this --data-dir; "t8s up" makes one.\n')
  process.exit(1)
}

const starter = progressToStarter(process.env)
const layout = layoutOf(allocation, values['data-dir']!)
const cluster = await startCluster({
  layout,
  clock,
  log,
  progress: starter ? jsonProgress(starter, clock) : silentProgress,
  fatal(error) {
    log.error('the disk has failed: nothing more can be kept', { error })
    process.exit(70)
  },
})
starter?.write(`${JSON.stringify({ event: 'ready' })}\n`)
log.info('the cluster is up', { name: layout.name })

let isStopping = false
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) process.exit(1)
    isStopping = true
    log.info('stopping', { signal })
    void cluster.stop().then(() => process.exit(0))
  })
}
