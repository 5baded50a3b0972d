import { IPAddress } from '#kinds/networking/v1/ip-address.ts'
import { ServiceCIDR } from '#kinds/networking/v1/service-cidr.ts'
import { timeOf } from '#machinery/time/time.ts'
import { parseAddress, parseCidr } from './runtime/cidr.ts'
import { defineController, status, type Tools, whole } from './runtime/define-controller.ts'
import { mapped } from './runtime/watches.ts'

const FINALIZER = 'networking.k8s.io/service-cidr-finalizer'

/** Lets a range of Service addresses be used, and go only when no Service has an address of it. */
export const serviceCidrController = defineController({
  name: 'service-cidr-controller',
  component: 'service-cidr-controller',
  reconciles: ServiceCIDR,
  watches: [
    // A range that goes away, or comes, changes what the others must cover; so does an address that is given back.
    mapped(ServiceCIDR, (_, { reconciled }) => reconciled.list().filter(({ metadata }) => metadata.deletionTimestamp)),
    mapped(IPAddress, (_, { reconciled }) => reconciled.list().filter(({ metadata }) => metadata.deletionTimestamp)),
  ],
  writes: [whole(ServiceCIDR), status(ServiceCIDR)],
  async reconcile(range, tools) {
    const { finalizers = [], deletionTimestamp } = range.metadata
    if (!deletionTimestamp) {
      let current = range
      if (!finalizers.includes(FINALIZER))
        current = await tools.client.update(ServiceCIDR, {
          ...range,
          metadata: { ...range.metadata, finalizers: [...finalizers, FINALIZER] },
        })
      await say(current, 'True', '', 'Kubernetes Service CIDR is ready', tools)
      return
    }
    if (!finalizers.includes(FINALIZER)) return
    if (isNeeded(range, tools.list(ServiceCIDR), tools.list(IPAddress))) {
      const message = 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR'
      await say(range, 'False', 'Terminating', message, tools)
      return
    }
    const rest = finalizers.filter(finalizer => finalizer !== FINALIZER)
    await tools.client.update(ServiceCIDR, { ...range, metadata: { ...range.metadata, finalizers: rest } })
  },
})

/** Whether some address lies in this range and in no other that stays. */
export function isNeeded(range: ServiceCIDR, ranges: readonly ServiceCIDR[], addresses: readonly IPAddress[]): boolean {
  const others = ranges.filter(other => other.metadata.uid !== range.metadata.uid && !other.metadata.deletionTimestamp)
  return addresses.some(({ metadata }) => covers(range, metadata.name ?? '') && !others.some(other => covers(other, metadata.name ?? '')))
}

function covers({ spec }: ServiceCIDR, address: string): boolean {
  const number = parseAddress(address)
  const family = address.includes(':') ? 'IPv6' : 'IPv4'
  return (spec.cidrs ?? []).some(text => {
    const cidr = parseCidr(text)
    return cidr.family === family && cidr.start <= number && number <= cidr.end
  })
}

async function say(
  range: ServiceCIDR,
  state: 'True' | 'False',
  reason: string,
  message: string,
  { updateStatus, now }: Tools,
): Promise<void> {
  const present = range.status.conditions?.find(({ type }) => type === 'Ready')
  const lastTransitionTime = present?.status === state ? present.lastTransitionTime : timeOf(now)
  const others = (range.status.conditions ?? []).filter(condition => condition !== present)
  await updateStatus(ServiceCIDR, range, {
    ...range.status,
    conditions: [...others, { type: 'Ready', status: state, reason, message, lastTransitionTime }],
  })
}
