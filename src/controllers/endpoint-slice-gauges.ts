import { EndpointSlice } from '#kinds/discovery/v1/endpoint-slice.ts'
import { MAX_ENDPOINTS, SERVICE_NAME } from './endpointslice.plan.ts'
import type { ControllerContext } from './runtime/controller.ts'

/** Shows how many slices a controller keeps, and how many would do; counted when somebody asks. */
export function showSlices({ informers, metrics }: ControllerContext, controller: string, isOurs: (slice: EndpointSlice) => boolean): void {
  const ours = () => informers.of(EndpointSlice).list().filter(isOurs)
  const gauge = (name: string, help: string, read: () => number) =>
    metrics.gauge({ name: `${controller}_${name}`, help, read: () => [[{}, read()]] })
  gauge('num_endpoint_slices', 'Number of EndpointSlices', () => ours().length)
  gauge('endpoints_desired', 'Number of endpoints desired', () => ours().reduce((sum, slice) => sum + countOf(slice), 0))
  gauge('desired_endpoint_slices', 'Number of EndpointSlices that would exist with perfect endpoint allocation', () => {
    // Slices of one Service are of one family, and have the same ports.
    const together = new Map<string, number>()
    for (const slice of ours()) {
      const { namespace, labels } = slice.metadata
      const key = JSON.stringify([namespace, labels?.[SERVICE_NAME], slice.addressType, slice.ports])
      together.set(key, (together.get(key) ?? 0) + countOf(slice))
    }
    return [...together.values()].reduce((sum, endpoints) => sum + Math.max(1, Math.ceil(endpoints / MAX_ENDPOINTS)), 0)
  })
}

function countOf({ endpoints }: EndpointSlice): number {
  return endpoints?.length ?? 0
}
