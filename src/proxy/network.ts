import type { RunOptions, RunResult } from '#base/process/run.ts'

/** Runs a program to its end; rejects when it fails. `run` of base/process is one. */
export type Run = (command: string, args: readonly string[], options?: RunOptions) => Promise<RunResult>

/** Programs run inside the network of `prefix`, such as `['nsenter', '--net=/run/netns/node-1']`; none means the machine's own. */
export function runIn(prefix: readonly string[], run: Run): Run {
  const [first, ...rest] = prefix
  if (first === undefined) return run
  return (command, args, options) => run(first, [...rest, command, ...args], options)
}

/** A setting of the kernel a network needs before Services work in it. */
export interface Sysctl {
  readonly name: string
  readonly value: string
}

/**
 * The settings the rules rely on. Who sets them remembers the former values and puts them back. Beside them, a network without a default
 * route needs one for the Services' addresses (out of any of its links): the kernel looks for a route before it translates.
 */
export function neededSysctls(facts: { readonly families: readonly string[]; readonly loopbackNodePorts: boolean }): Sysctl[] {
  const needed = [{ name: 'net.ipv4.ip_forward', value: '1' }]
  // Without it an answer between two pods of one bridge bypasses the translation and the connection hangs.
  needed.push({ name: 'net.bridge.bridge-nf-call-iptables', value: '1' })
  if (facts.families.includes('ip6')) {
    needed.push({ name: 'net.ipv6.conf.all.forwarding', value: '1' }, { name: 'net.bridge.bridge-nf-call-ip6tables', value: '1' })
  }
  if (facts.loopbackNodePorts) needed.push({ name: 'net.ipv4.conf.all.route_localnet', value: '1' })
  return needed
}
