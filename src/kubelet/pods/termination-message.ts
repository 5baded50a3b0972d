import { open, readFile } from 'node:fs/promises'
import { parseLogLine } from '../logs/log-line.ts'

const FILE_LIMIT = 4096
const LOG_LIMIT = 2048
const LOG_LINES = 80

/** The last words of an ended container: what it wrote to its termination log, or the end of its log where the policy allows that. */
export async function readTerminationMessage(file: string, logFile: string, fallback: boolean): Promise<string> {
  const text = await readEnd(file, FILE_LIMIT, true)
  if (text !== '' || !fallback) return text
  const end = await readEnd(logFile, 16 * 1024, false)
  const lines = end.split('\n').flatMap(line => parseLogLine(line) ?? [])
  const words = lines.slice(-LOG_LINES).map(({ text: part, partial }) => (partial ? part : `${part}\n`))
  return words.join('').slice(-LOG_LIMIT)
}

async function readEnd(path: string, limit: number, fromStart: boolean): Promise<string> {
  const file = await open(path).catch(() => undefined)
  if (!file) return ''
  try {
    const { size } = await file.stat()
    const length = Math.min(size, limit)
    const buffer = Buffer.alloc(length)
    await file.read(buffer, 0, length, fromStart ? 0 : size - length)
    return buffer.toString('utf8')
  } finally {
    await file.close()
  }
}

/** The node's hosts file, for pods in its network. */
export async function readNodeHosts(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '127.0.0.1\tlocalhost\n')
}
