// What the launcher asks about npm packages; the exit code answers.
//
//   packages.mjs installed               are the packages of package-lock.json in node_modules, in the versions it names?
//   packages.mjs registry URL [PROXY]    does somebody answer where npm would get them?
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ANSWER_MS = 5000
const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [question, ...args] = process.argv.slice(2)
const answers = { installed: () => areInstalled(), registry: ([url, proxy]) => answersAt(proxy || url) }
process.exit((await answers[question](args)) ? 0 : 1)

/** npm notes in node_modules what it has put there; that may lack what is optional, such as what is for other platforms. */
function areInstalled() {
  const wanted = packagesOf('package-lock.json')
  const installed = packagesOf('node_modules/.package-lock.json')
  const same = (one, other) => one?.version === other?.version && one?.integrity === other?.integrity
  return (
    Object.entries(wanted).every(([path, wish]) => path === '' || same(wish, installed[path]) || (wish.optional && !installed[path])) &&
    Object.keys(installed).every(path => wanted[path])
  )
}

function packagesOf(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8')).packages ?? {}
}

function answersAt(address) {
  const { protocol, hostname, port } = new URL(address)
  return new Promise(resolve => {
    const socket = connect({ host: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443), timeout: ANSWER_MS })
    socket.on('connect', () => resolve(true))
    socket.on('timeout', () => resolve(false))
    socket.on('error', () => resolve(false))
  })
}
