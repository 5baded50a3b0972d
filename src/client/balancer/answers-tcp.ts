import { connect } from 'node:net'
import type { Clock } from '#base/time/clock.ts'

/** Enough for one packet to be lost: the system sends the first a second time after one second. */
const PATIENCE_MS = 1_500

/**
 * Whether the machine of a server (`https://host:port`) takes connections. Its kernel answers for it, so that also a process that is busy or
 * stopped is reachable; a refusal says that the process has ended.
 */
export function answersTcp(server: string, clock: Clock): Promise<boolean> {
  const { hostname, port, protocol } = new URL(server)
  return new Promise(resolve => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'http:' ? 80 : 443) })
    const end = (answer: boolean) => {
      late.cancel()
      socket.destroy()
      resolve(answer)
    }
    const late = clock.after(PATIENCE_MS, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
