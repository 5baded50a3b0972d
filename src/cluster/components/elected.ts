import { type LeaderElectionOptions, leadWhenElected } from '#client/leader/leader-election.ts'

/** A part of the control plane that runs. */
export interface RunningPart {
  stop(): Promise<void>
}

/**
 * Runs a part of the control plane in one of several servers at a time: `start` is called when this one gets the lead, and what it started is
 * ended before the lead can go to another. One that lost the lead waits for it again, since its caches are the API server's own and go on.
 */
export function runElected(options: LeaderElectionOptions, start: () => Promise<RunningPart>): RunningPart {
  const { log, identity, lease } = options
  const stop = new AbortController()
  const work = async (signal: AbortSignal) => {
    const part = await start()
    if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
    await part.stop()
    log.info('no longer leading', { lease: lease.name, identity })
  }
  const running = (async () => {
    while (!stop.signal.aborted) {
      const outcome = await leadWhenElected(options, work, stop.signal)
      if (outcome === 'stopped') return
    }
  })()
  running.catch(error => log.error('leader election has failed', { lease: lease.name, error }))
  return {
    async stop() {
      stop.abort(new Error('the process was told to end'))
      await running
    },
  }
}
