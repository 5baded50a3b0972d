import type { LimitRangeItem } from '#kinds/core/v1/limit-range.ts'
import type { PersistentVolumeClaim } from '#kinds/core/v1/persistent-volume-claim.ts'
import { limitsOf, requestsOf } from '#kinds/core/v1/pod.facts.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { ResourceAmounts } from '#kinds/core/v1/resources.facts.ts'
import { Quantity } from '#machinery/quantity/quantity.ts'

type Amounts = Readonly<Record<string, string>> | undefined

/** What of the pod's resources is outside of the limits, in sentences. */
export function podExcesses(pod: Pod, items: readonly LimitRangeItem[]): string[] {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]
  return items.flatMap(item => {
    if (item.type === 'Container') return containers.flatMap(({ resources }) => excesses(item, resources.requests, resources.limits))
    if (item.type === 'Pod') return excesses(item, texts(requestsOf(pod)), texts(limitsOf(pod)))
    return []
  })
}

/** The same of a claim: it is measured by what it asks for. */
export function claimExcesses({ spec }: PersistentVolumeClaim, items: readonly LimitRangeItem[]): string[] {
  const asked = spec.resources.requests
  return items
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap(({ type, min, max }) => [
      ...each(min, (name, bound) => tooLittle(type, name, bound, asked, {})),
      ...each(max, (name, bound) => {
        const request = asked?.[name]
        if (request === undefined) return `maximum ${name} usage per ${type} is ${bound}.  No request is specified`
        return isMore(request, bound) ? `maximum ${name} usage per ${type} is ${bound}, but request is ${request}` : undefined
      }),
    ])
}

function excesses({ type, min, max, maxLimitRequestRatio }: LimitRangeItem, requests: Amounts, limits: Amounts): string[] {
  return [
    ...each(min, (name, bound) => tooLittle(type, name, bound, requests, limits)),
    ...each(max, (name, bound) => tooMuch(type, name, bound, requests, limits)),
    ...each(maxLimitRequestRatio, (name, bound) => tooFarApart(type, name, bound, requests, limits)),
  ]
}

function tooLittle(type: string, name: string, bound: string, requests: Amounts, limits: Amounts): string | undefined {
  const request = requests?.[name]
  const limit = limits?.[name]
  const rule = `minimum ${name} usage per ${type} is ${bound}`
  if (request === undefined) return `${rule}.  No request is specified`
  if (isMore(bound, request)) return `${rule}, but request is ${request}`
  if (limit !== undefined && isMore(bound, limit)) return `${rule}, but limit is ${limit}`
  return undefined
}

function tooMuch(type: string, name: string, bound: string, requests: Amounts, limits: Amounts): string | undefined {
  const request = requests?.[name]
  const limit = limits?.[name]
  const rule = `maximum ${name} usage per ${type} is ${bound}`
  if (limit === undefined) return `${rule}.  No limit is specified`
  if (isMore(limit, bound)) return `${rule}, but limit is ${limit}`
  if (request !== undefined && isMore(request, bound)) return `${rule}, but request is ${request}`
  return undefined
}

function tooFarApart(type: string, name: string, bound: string, requests: Amounts, limits: Amounts): string | undefined {
  const rule = `${name} max limit to request ratio per ${type} is ${bound}`
  const request = Quantity.parse(requests?.[name] ?? '0')
  if (request.isZero) return `${rule}, but no request is specified or request is 0`
  const limit = Quantity.parse(limits?.[name] ?? '0')
  if (limit.isZero) return `${rule}, but no limit is specified or limit is 0`
  const ratio = limit.toFloat() / request.toFloat()
  return ratio > Quantity.parse(bound).toFloat() ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined
}

function isMore(left: string, right: string): boolean {
  return Quantity.parse(left).compare(Quantity.parse(right)) > 0
}

/** The sentences of `check` for each bound, by name. */
function each(bounds: Amounts, check: (name: string, bound: string) => string | undefined): string[] {
  return Object.entries(bounds ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([name, bound]) => check(name, bound) ?? [])
}

/** Sums as a pod's author would write them. */
function texts(amounts: ResourceAmounts): Record<string, string> {
  return Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => {
      const isBytes = name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-')
      return [name, (name === 'cpu' ? Quantity.milli(amount) : Quantity.of(amount, isBytes ? 'binary' : 'decimal')).toString()]
    }),
  )
}
