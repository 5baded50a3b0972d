import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { bootId } from '#base/process/running-process.ts'
import type { MachineChanges } from '../layout/machine-record.ts'

/** A setting of the machine that a cluster needs to be at least this. */
export interface SysctlNeed {
  readonly name: string
  readonly atLeast: number
}

/** What the machine's own settings must allow when it carries nodes. */
export const MACHINE_SYSCTLS: readonly SysctlNeed[] = [
  { name: 'net.ipv4.ip_forward', atLeast: 1 },
  { name: 'fs.inotify.max_user_instances', atLeast: 8192 },
  { name: 'fs.inotify.max_user_watches', atLeast: 524_288 },
]

/** Where settings are read and written: /proc/sys, or a folder in tests. */
export type SysctlRoot = string

/** Raises what is too low and returns the changes together with what was remembered before, which is never overwritten. */
export function raiseSysctls(
  needs: readonly SysctlNeed[],
  before: MachineChanges | undefined,
  root: SysctlRoot = '/proc/sys',
): MachineChanges {
  const boot = bootId()
  const kept = before?.bootId === boot ? before : undefined
  const sysctls: Record<string, string> = { ...kept?.sysctls }
  for (const need of needs) {
    const value = readSysctl(need.name, root)
    if (value === undefined || Number(value) >= need.atLeast) continue
    sysctls[need.name] ??= value
    writeFileSync(sysctlFile(need.name, root), String(need.atLeast))
  }
  return { bootId: boot, sysctls, mountedNetns: kept?.mountedNetns ?? false }
}

/** Puts remembered settings back; those of an earlier boot are already as they were. */
export function restoreSysctls(changes: MachineChanges, root: SysctlRoot = '/proc/sys'): void {
  if (changes.bootId !== bootId()) return
  for (const [name, value] of Object.entries(changes.sysctls)) {
    if (readSysctl(name, root) !== undefined) writeFileSync(sysctlFile(name, root), value)
  }
}

export function readSysctl(name: string, root: SysctlRoot = '/proc/sys'): string | undefined {
  const file = sysctlFile(name, root)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

function sysctlFile(name: string, root: SysctlRoot): string {
  return `${root}/${name.replaceAll('.', '/')}`
}
