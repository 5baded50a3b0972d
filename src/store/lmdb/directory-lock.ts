import { closeSync, linkSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { LockedError } from '../store-errors.ts'

/** Holds a directory for this process until it is released or the process ends, however it ends. */
export interface DirectoryLock {
  release(): Promise<void>
}

/**
 * Takes a directory for this process alone; rejects with LockedError if another one has it.
 *
 * Who holds the directory listens on the socket `lock-<n>` in it with the highest n: the kernel ends that with the process, also on SIGKILL, and
 * keeps it while the process is stopped; it holds across network and process namespaces. A socket is linked to its name only once it
 * listens, so one that refuses connections is dead for good, and the next process takes `lock-<n+1>`, which only one can.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const folder = openSync(directory, 'r')
  // A socket's path is at most 107 bytes long: by way of the open folder it always fits.
  const path = (name: string) => (process.platform === 'linux' ? `/proc/self/fd/${folder}/${name}` : `${directory}/${name}`)
  const candidate = `lock-candidate-${process.pid}-${candidates++}`
  const server = await listen(path(candidate))
  try {
    for (;;) {
      const highest = Math.max(0, ...numbersIn(directory))
      const holder = highest > 0 ? await askHolder(path(`lock-${highest}`)) : undefined
      if (holder) throw new LockedError(directory, holder)
      const mine = highest + 1
      if (!tryLink(path(candidate), path(`lock-${mine}`))) continue
      const numbers = numbersIn(directory)
      if (numbers.some(number => number > mine)) {
        remove(path(`lock-${mine}`))
        continue
      }
      for (const number of numbers) if (number < mine) remove(path(`lock-${number}`))
      break
    }
  } catch (error) {
    remove(path(candidate))
    await close(server)
    closeSync(folder)
    throw error
  }
  remove(path(candidate))
  return {
    async release() {
      await close(server)
      closeSync(folder)
    },
  }
}

let candidates = 0

function listen(path: string): Promise<Server> {
  const server = createServer(connection => {
    connection.on('error', () => {})
    connection.end(`process ${process.pid}`)
  })
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve(server))
  })
}

function numbersIn(directory: string): number[] {
  return readdirSync(directory).flatMap(name => (/^lock-\d+$/.test(name) ? [Number(name.slice(5))] : []))
}

/** Who listens there; undefined if nobody does any more. A holder that is stopped does not say its name. */
function askHolder(path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    let answer = ''
    socket.setTimeout(500, () => {
      socket.destroy()
      resolve('another process (which does not answer)')
    })
    socket.on('data', data => {
      answer += data.toString()
    })
    socket.on('end', () => resolve(answer || 'another process'))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined)
      else if (error.code === 'EAGAIN' || error.code === 'ECONNRESET') resolve('another process')
      else reject(error)
    })
  })
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function close(server: Server): Promise<void> {
  return new Promise(resolve => server.close(() => resolve()))
}
