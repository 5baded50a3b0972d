import { readdirSync, readFileSync } from 'node:fs'
import { findProcess, type RunningProcess, readPidFile } from '#base/process/running-process.ts'
import type { NodeLayout } from '../layout/layout.ts'

/** The containerd of a node, whether or not its pid file survived. */
export function findContainerd(node: NodeLayout): RunningProcess | undefined {
  const known = readPidFile(node.containerd.pidFile)
  if (known) return known
  return processesWith(['containerd', '--config', node.containerd.config])[0]
}

/** The shims of a node: each holds a pod's containers, and lives on without containerd. */
export function shimsOf(node: NodeLayout): RunningProcess[] {
  return processesWith(['-address', node.containerd.socket])
}

/** Processes whose arguments contain these, one after the other. */
function processesWith(args: readonly string[]): RunningProcess[] {
  const wanted = `\0${args.join('\0')}\0`
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return []
    try {
      const found = `\0${readFileSync(`/proc/${name}/cmdline`, 'utf8')}`.includes(wanted)
      return found ? (findProcess(Number(name)) ?? []) : []
    } catch {
      return [] // ended meanwhile
    }
  })
}
