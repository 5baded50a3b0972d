import { Option } from 'commander'
import type { SchedulingSupposition } from '#kinds/typernetes/v1/scheduling-review.ts'
import { askScheduler, podNamed } from '../ask-scheduler.ts'
import { type ClientFlags, type KubectlContext, type KubectlVerb, UsageError, verbCommand } from '../kubectl-verb.ts'
import { printVerdict } from '../printers/verdict-printer.ts'

interface WhatIfFlags extends ClientFlags {
  readonly moreNodes?: string
  readonly like?: string
  readonly withoutNode?: readonly string[]
  readonly withoutTaint?: readonly string[]
  readonly uncordon?: readonly string[]
  readonly label?: readonly string[]
  readonly withoutPod?: readonly string[]
  readonly requests?: string
  readonly output?: 'json'
}

export const whatIfVerb: KubectlVerb = context =>
  verbCommand('what-if')
    .description('Tell what would become of a pod if something were different. Nothing is changed by asking.')
    .argument('<pod>', 'pod/NAME')
    .option('--more-nodes <count>', 'so many more nodes, as --like says')
    .option('--like <node>', 'the node that those are like')
    .option('--without-node <node...>', 'these nodes were not there')
    .option('--without-taint <taint...>', 'a taint were not there: KEY, or NODE:KEY for one node')
    .option('--uncordon <node...>', 'these nodes were not cordoned')
    .option('--label <label...>', 'a node had a label: NODE:KEY=VALUE')
    .option('--without-pod <pod...>', 'these pods were not there: NAME, or NAMESPACE/NAME')
    .option('--requests <resources>', 'each of its containers requested this: cpu=100m,memory=64Mi')
    .addOption(new Option('-o, --output <format>', 'how').choices(['json']))
    .action((pod: string, flags: WhatIfFlags) => whatIf(pod, flags, context))

async function whatIf(pod: string, flags: WhatIfFlags, context: KubectlContext): Promise<void> {
  const { client, namespace } = await context.connect(flags)
  using _ = client
  const supposition = suppositionOf(flags, namespace)
  const status = await askScheduler(client, namespace, { pod: podNamed(pod), supposition }, context.signal)
  context.stdout.write(flags.output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : printVerdict(podNamed(pod), status, true))
}

/** What the flags suppose. Throws UsageError where one makes no sense. */
export function suppositionOf(flags: WhatIfFlags, namespace: string): SchedulingSupposition {
  const { moreNodes, like, withoutNode, withoutTaint, uncordon, label, withoutPod, requests } = flags
  if ((moreNodes === undefined) !== (like === undefined))
    throw new UsageError('--more-nodes and --like belong together: --more-nodes=2 --like=node-1')
  if (moreNodes !== undefined && !/^[1-9]\d{0,3}$/.test(moreNodes))
    throw new UsageError(`--more-nodes takes a number, and "${moreNodes}" is none`)
  return {
    ...(moreNodes && like ? { moreNodes: { like, count: Number(moreNodes) } } : {}),
    ...(withoutNode ? { withoutNodes: withoutNode } : {}),
    ...(withoutTaint ? { withoutTaints: withoutTaint.map(taintOf) } : {}),
    ...(uncordon ? { uncordoned: uncordon } : {}),
    ...(label ? { labels: label.map(labelOf) } : {}),
    ...(withoutPod ? { withoutPods: withoutPod.map(pod => (pod.includes('/') ? pod : `${namespace}/${pod}`)) } : {}),
    ...(requests ? { requests: Object.fromEntries(requests.split(',').map(requestOf)) } : {}),
  }
}

function taintOf(text: string): { node?: string; key: string } {
  const colon = text.indexOf(':')
  return colon < 0 ? { key: text } : { node: text.slice(0, colon), key: text.slice(colon + 1) }
}

function labelOf(text: string): { node: string; key: string; value: string } {
  const [, node, key, value] = /^([^:]+):([^=]+)=(.*)$/.exec(text) ?? []
  if (!node || !key || value === undefined) throw new UsageError(`--label takes NODE:KEY=VALUE, and "${text}" is something else`)
  return { node, key, value }
}

function requestOf(text: string): [string, string] {
  const [, resource, quantity] = /^([^=]+)=(.+)$/.exec(text.trim()) ?? []
  if (!resource || !quantity)
    throw new UsageError(`--requests takes RESOURCE=QUANTITY with commas between, and "${text}" is something else`)
  return [resource, quantity]
}
