import { missingForNodes } from '#cluster/machine/check.ts'
import { findPrograms, inspectMachine } from '#cluster/machine/facts.ts'
import { installPackages, packagesFor } from '#cluster/packages/debian.ts'

/** What the integration tests run beside what nodes need, and which Debian package brings it. */
const TEST_PROGRAMS: Readonly<Record<string, string>> = {
  etcd: 'etcd-server',
  etcdctl: 'etcd-client',
  'docker-registry': 'docker-registry',
  skopeo: 'skopeo',
  openssl: 'openssl',
  strace: 'strace',
  unzip: 'unzip',
  ping: 'iputils-ping',
  haproxy: 'haproxy',
}

/** Before the integration tests: installs what is missing on a fresh machine. */
export default async function setup(): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new Error('the integration tests need root: run them as root, or only the others with "./t8s test --unit"')
  const found = findPrograms(Object.keys(TEST_PROGRAMS))
  const missing = Object.entries(TEST_PROGRAMS).flatMap(([program, name]) => (found.has(program) ? [] : name))
  const packages = [...new Set([...packagesFor(missingForNodes(inspectMachine('/var/lib'))), ...missing])]
  if (packages.length > 0) process.stderr.write(`installing ${packages.join(', ')}\n`)
  await installPackages(packages)
}
