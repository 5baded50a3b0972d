import { type RunOptions, run } from '#base/process/run.ts'
import { freeNetwork } from './free-network.ts'
import { until } from './until.ts'

/** Machines of a test: network namespaces on one bridge. */
export interface TestMachines {
  /** The first three bytes of all addresses. */
  readonly network: string
  /** The address of machine n (from 1). */
  address(machine: number): string
  /** The bridge's own address: of the machine that runs the test. */
  readonly gateway: string
  /** Runs a program in machine n's network. */
  run(machine: number, command: string, args: readonly string[], options?: RunOptions): Promise<string>
  /** Keeps every packet from and to machine n, as a cable that was pulled. */
  cutOff(machine: number): Promise<void>
  heal(machine: number): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Makes `count` machines on a network that nothing else has; their names begin with `prefix`, of at most eight characters. */
export async function testMachines(prefix: string, count: number): Promise<TestMachines> {
  const network = await freeNetwork()
  const bridge = `${prefix}-br`
  const machines = Array.from({ length: count }, (_, index) => index + 1)
  const netns = (machine: number) => `${prefix}-${machine}`
  const address = (machine: number) => `${network}.${machine}`
  const gateway = `${network}.254`
  const ip = async (...commands: string[]) => void (await run('ip', ['-batch', '-'], { input: `${commands.join('\n')}\n` }))
  const inside = async (machine: number, command: string, args: readonly string[], options?: RunOptions) =>
    (await run('nsenter', [`--net=/run/netns/${netns(machine)}`, command, ...args], options)).stdout
  const remove = async () => {
    for (const machine of machines) await run('ip', ['netns', 'delete', netns(machine)], { allowCodes: [1] })
    await run('ip', ['link', 'delete', bridge], { allowCodes: [1] })
  }
  await remove()
  await ip(`link add ${bridge} type bridge`, `addr add ${gateway}/24 dev ${bridge}`, `link set ${bridge} up`)
  for (const machine of machines) {
    await run('ip', ['netns', 'add', netns(machine)])
    await ip(
      `link add ${prefix}-v${machine} type veth peer name eth0 netns ${netns(machine)}`,
      `link set ${prefix}-v${machine} master ${bridge} up`,
    )
    const commands = ['link set lo up', `addr add ${address(machine)}/24 dev eth0`, 'link set eth0 up', `route add default via ${gateway}`]
    await run('ip', ['-n', netns(machine), '-batch', '-'], { input: `${commands.join('\n')}\n` })
  }
  // A link that is up passes packets only after the kernel has seen to its carrier and the bridge to its port.
  const ping = ['ping', '-c', '1', '-W', '1', gateway]
  await Promise.all(
    machines.map(machine => until(`machine ${machine} reaches ${gateway}`, async () => !!(await inside(machine, 'busybox', ping)))),
  )
  const drop = 'iifname != "lo" drop'
  const rules = `table inet cut { chain in { type filter hook input priority -300; ${drop}; }\nchain out { type filter hook output priority -300; oifname != "lo" drop; }\n}\n`
  return {
    network,
    address,
    gateway,
    run: inside,
    cutOff: async machine => void (await inside(machine, 'nft', ['-f', '-'], { input: rules })),
    heal: async machine => void (await inside(machine, 'nft', ['delete', 'table', 'inet', 'cut'])),
    [Symbol.asyncDispose]: remove,
  }
}
