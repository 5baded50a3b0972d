import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { ProcessError } from '#base/process/process-error.ts'
import { run } from '#base/process/run.ts'
import { SetupError } from '../setup-error.ts'

/** Which Debian package brings a program a node needs. */
export const PACKAGE_OF: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  runc: 'runc',
  'cni-plugins': 'containernetworking-plugins',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  nsenter: 'util-linux',
  mount: 'mount',
  busybox: 'busybox-static',
  modprobe: 'kmod',
  etcd: 'etcd-server',
  setpriv: 'util-linux',
}

/** The packages that bring these programs, each once. */
export function packagesFor(programs: readonly string[]): string[] {
  return [...new Set(programs.map(program => PACKAGE_OF[program]).filter(name => name !== undefined))].sort()
}

export interface InstallOptions {
  readonly signal?: AbortSignal | undefined
  /** What apt-get is busy with. */
  readonly note?: (text: string) => void
}

/**
 * Installs packages from Debian's archive without starting any of their daemons.
 *
 * @throws SetupError with one sentence when apt-get is absent, the archive cannot be reached or a package is not in it.
 */
export async function installPackages(packages: readonly string[], options: InstallOptions = {}): Promise<void> {
  if (packages.length === 0) return
  if (!existsSync('/usr/bin/apt-get')) {
    throw new SetupError(
      `The packages ${packages.join(', ')} are missing and this system has no apt-get`,
      'install them with its own package tool',
    )
  }
  const restore = holdBackDaemons()
  try {
    try {
      await aptGet(['install', ...packages], options)
    } catch (error) {
      if (options.signal?.aborted) throw error
      // Package lists that are absent or old name files the archive no longer has.
      await aptGet(['update'], options)
      await aptGet(['install', ...packages], options)
    }
    await disableDaemons(packages)
  } catch (error) {
    throw installError(packages, error)
  } finally {
    restore()
  }
}

async function aptGet([verb, ...names]: readonly string[], options: InstallOptions): Promise<void> {
  const lines = /^(Get:\d+|Unpacking|Setting up|Hit:\d+) ?(.*)$/
  await run(
    'apt-get',
    [
      verb!,
      '-y',
      '-q',
      '--no-install-recommends',
      '-o',
      'DPkg::Lock::Timeout=120',
      '-o',
      'Dpkg::Use-Pty=0',
      '-o',
      'Acquire::Retries=2',
      ...names,
    ],
    {
      timeoutMs: 600_000,
      signal: options.signal,
      env: { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' },
      onLine: line => {
        const match = lines.exec(line)
        if (match)
          options.note?.(
            line
              .replace(/^Get:\d+ \S+ /, 'fetching ')
              .replace(/ \.\.\.$/, '')
              .slice(0, 70),
          )
      },
    },
  )
}

/** While packages are installed nothing they bring is started: policy-rc.d says no. One that is already there is left as it is. */
function holdBackDaemons(): () => void {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return () => {}
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(policy, { force: true })
}

const DAEMONS = [
  ['containerd', 'containerd.service'],
  ['etcd-server', 'etcd.service'],
] as const

/** Nor at the next boot: nodes and servers have daemons of their own, and nobody asked for one more. */
async function disableDaemons(packages: readonly string[]): Promise<void> {
  if (!existsSync('/run/systemd/system')) return
  for (const [name, service] of DAEMONS) {
    if (packages.includes(name)) await run('systemctl', ['--quiet', 'disable', service], { allowCodes: [1] })
  }
}

function installError(packages: readonly string[], cause: unknown): unknown {
  if (!(cause instanceof ProcessError) || cause.failure.reason === 'aborted') return cause
  const output = cause.failure.stderr + cause.failure.stdout
  const unknown = /Unable to locate package (\S+)|Package '?(\S+?)'? has no installation candidate/.exec(output)
  const wanted = `The packages ${packages.join(', ')} could not be installed`
  if (unknown) {
    const name = unknown[1] ?? unknown[2]
    return new SetupError(
      `${wanted}, since "${name}" is in none of this system's package sources`,
      `add a source that has it, then run "t8s up" again`,
      { cause },
    )
  }
  if (/Could not resolve|Failed to fetch|Could not connect|Temporary failure/.test(output)) {
    return new SetupError(
      `${wanted}, since the package archive cannot be reached`,
      'check the network and /etc/apt/sources.list.d, then run "t8s up" again',
      { cause },
    )
  }
  if (/Could not get lock|is another process using it/.test(output)) {
    return new SetupError(`${wanted}, since another program is installing packages`, 'wait until it has ended and run "t8s up" again', {
      cause,
    })
  }
  const reason = /^E: (.*)$/m.exec(output)?.[1] ?? cause.message
  return new SetupError(`${wanted}: ${reason}`, `run "apt-get install ${packages.join(' ')}" by hand to see why`, { cause })
}
