import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** A lock on a file, held across processes. */
export interface FileLock extends AsyncDisposable {
  release(): Promise<void>
}

/**
 * Takes an exclusive lock (flock) on `path`, or returns undefined when another process still holds it after `waitMs`. The kernel gives it
 * back when this process ends in whatever way: the lock is held by a child that lives as long as its standard input is open.
 */
export function lockFile(path: string, waitMs = 0): Promise<FileLock | undefined> {
  mkdirSync(dirname(path), { recursive: true })
  const wait = waitMs > 0 ? ['--timeout', String(Math.max(1, Math.ceil(waitMs / 1000)))] : ['--nonblock']
  const holder = spawn('flock', ['--exclusive', '--close', '--conflict-exit-code', '75', ...wait, path, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // Ctrl-C reaches the terminal's foreground group; the lock must outlive it until the work has ended
  })
  return new Promise((resolve, reject) => {
    const ended = new Promise<void>(done => holder.once('close', () => done()))
    const release = async () => {
      holder.stdin.end()
      await ended
    }
    holder.once('error', error => reject(new Error(`cannot lock ${path}: the program flock (util-linux) is needed`, { cause: error })))
    holder.once('exit', code => (code === 75 ? resolve(undefined) : reject(new Error(`cannot lock ${path}: flock ended with ${code}`))))
    holder.stdin.on('error', () => {})
    holder.stdout.once('data', () => resolve({ release, [Symbol.asyncDispose]: release }))
    holder.stdin.write('held\n') // comes back from cat once it runs, which is once the lock is held
  })
}
