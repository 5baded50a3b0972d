import { GaugeSeries } from '#base/metrics/labelled-series.ts'
import type { Labels, Series } from '#base/metrics/series.ts'
import { deprecationOf, removalOf } from '#kinds/deprecations.ts'
import type { KindRegistry } from '#machinery/kind/kind-registry.ts'
import type { RequestLabels } from './request-stats.ts'

/** Which deprecated kinds have been asked for, of all that has; looked up when somebody reads it. */
export function deprecatedRequests(asked: () => Iterable<RequestLabels>, kinds: KindRegistry): Series {
  return new GaugeSeries(
    'apiserver_requested_deprecated_apis',
    'Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.',
    () => {
      const found = new Map<string, [Labels, number]>()
      for (const { group, version, resource, subresource } of asked()) {
        const kind = kinds.byResource(group, version, resource)
        if (!kind || deprecationOf(kind) === undefined) continue
        const labels = { group, version, resource, subresource, removed_release: removalOf(kind) }
        found.set([group, version, resource, subresource].join('/'), [labels, 1])
      }
      return found.values()
    },
  )
}
