// Loads 1,000 Services with 10 endpoints each into a network namespace of its own, then changes one. Needs root and nft.

import { silentLogger } from '#base/log/logger.ts'
import { run } from '#base/process/run.ts'
import { realClock } from '#base/time/real-clock.ts'
import type { EndpointSliceView, ServiceView } from '#proxy/objects.ts'
import { handInformer, serviceOf, sliceOf } from '#proxy/proxy.fixture.ts'
import { startProxy } from '#proxy/proxy.ts'

const SERVICES = 1_000
const ENDPOINTS = 10
const name = `t8s-bench-${process.pid}`
await run('ip', ['netns', 'add', name])
try {
  const services = handInformer<ServiceView>()
  const endpointSlices = handInformer<EndpointSliceView>()
  const bySlice = new Map<string, EndpointSliceView>()
  for (let index = 0; index < SERVICES; index++) {
    const ip = `10.96.${index >> 8}.${index & 255}`
    services.put(serviceOf({ clusterIP: ip }, { name: `web-${index}` }))
    bySlice.set(`default/web-${index}`, endpointsOf(index, ENDPOINTS))
    endpointSlices.put(endpointsOf(index, ENDPOINTS))
  }
  // The real informer files slices by Service; so does this one.
  const indexed = { ...endpointSlices, byIndex: (_: string, key: string) => [bySlice.get(key)!] }
  const start = performance.now()
  const metrics = {
    synced: (ms: number, count: number, kind: string) => console.log(`${kind}, ${count} Services: ${ms.toFixed(1)} ms`),
    failed: () => console.log('failed'),
  }
  const network = ['nsenter', `--net=/run/netns/${name}`]
  const proxy = startProxy({
    table: 't8s-bench',
    nodeName: 'n',
    network,
    services,
    endpointSlices: indexed,
    run,
    clock: realClock(),
    log: silentLogger,
    metrics,
  })
  await proxy.ready()
  console.log(`start to ready: ${(performance.now() - start).toFixed(1)} ms`)
  for (let round = 0; round < 5; round++) {
    const changed = endpointsOf(round, ENDPOINTS - 1 - round)
    bySlice.set(`default/web-${round}`, changed)
    endpointSlices.put(changed)
    await proxy.settled()
  }
  const cpu = process.cpuUsage()
  await new Promise(resolve => setTimeout(resolve, 1_000))
  const used = process.cpuUsage(cpu)
  console.log(`idle for 1 s: ${((used.user + used.system) / 1_000).toFixed(2)} ms of CPU`)
  await proxy.stop({ cleanup: true })
} finally {
  await run('ip', ['netns', 'del', name])
}

function endpointsOf(index: number, count: number): EndpointSliceView {
  const addresses = Array.from({ length: count }, (_, endpoint) => {
    const number = index * ENDPOINTS + endpoint + 1
    return `10.244.${number >> 8}.${number & 255}`
  })
  return sliceOf(addresses, { service: `web-${index}` })
}
