import { connect } from 'node:http2'

/*
 * Sends one request over and over, as many at a time as it is told, until its standard input ends; then prints how many were answered how:
 * `flood.program URL TOKEN CONNECTIONS STREAMS PATH`. Prints `begun` once all of them are on their way and the first one is answered. A process
 * of its own, so that it does not take the time of who measures.
 */
const [url = '', token = '', connections = '1', streams = '1', path = '/'] = process.argv.slice(2)
const byStatus = {}
let isEnding = false
let connecting = Number(connections)
let hasBegun = false

const sessions = Array.from({ length: Number(connections) }, () => {
  const session = connect(url, { rejectUnauthorized: false })
  session.on('error', () => undefined)
  session.on('connect', () => {
    session.setLocalWindowSize(16 * 1024 * 1024)
    connecting--
  })
  const next = () => {
    if (isEnding || session.destroyed) return
    const stream = session.request({ ':method': 'GET', ':path': path, authorization: `Bearer ${token}` })
    const count = what => {
      byStatus[what] = (byStatus[what] ?? 0) + 1
      if (!hasBegun && connecting === 0) console.log('begun')
      hasBegun ||= connecting === 0
    }
    stream.on('response', head => count(String(head[':status'])))
    stream.on('error', () => count('error'))
    stream.on('close', next)
    stream.resume()
    stream.end()
  }
  for (let n = 0; n < Number(streams); n++) next()
  return session
})
process.stdin.on('data', () => undefined)
process.stdin.on('end', () => {
  isEnding = true
  console.log(JSON.stringify(byStatus))
  for (const session of sessions) session.destroy()
  process.exit(0)
})
