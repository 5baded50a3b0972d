import {
  type CallEstimate,
  type EstimatedNode,
  type EstimateModel,
  fixed,
  MAX_COST,
  plus,
  type SizeRange,
  scaled,
  times,
} from '#base/languages/cel/estimate.ts'
import {
  type CallCost,
  type CostModel,
  matchCost,
  PATTERN_FACTOR,
  STANDARD_COST_MODEL,
  STRING_FACTOR,
  sizeOf,
} from '#base/languages/cel/runtime-cost.ts'
import { CelList, CelMap, type CelValue } from '#base/languages/cel/values.ts'

/** A check of access costs so much that an expression can make two of them. */
const ACCESS_CHECK_COST = 350_000

const NOMINAL: ReadonlySet<string> = new Set([
  'serviceAccount', 'path', 'group', 'resource', 'subresource', 'namespace', 'name', 'allowed', 'reason', 'error', 'errored', 'masked',
  'prefixLength', 'family', 'isUnspecified', 'isLoopback', 'isLinkLocalMulticast', 'isLinkLocalUnicast', 'isGlobalUnicast', 'sign',
  'asInteger', 'isInteger', 'asApproximateFloat', 'isGreaterThan', 'isLessThan', 'compareTo', 'add', 'sub', 'major', 'minor', 'patch',
]) // biome-ignore format: a table

const of = (factor: number) => (args: readonly CelValue[]) => (args.length === 0 ? 1 : Math.ceil(sizeOf(args[0]!) * factor))
const compared = (args: readonly CelValue[]) => Math.ceil(2 * addressSize(args[0]!) * STRING_FACTOR)

/** What calls of Kubernetes' own functions cost, by name: `CallCost` of upstream's library/cost.go. */
const CALL_COSTS: ReadonlyMap<string, (overloadId: string) => CallCost> = new Map<string, (overloadId: string) => CallCost>([
  ['check', () => ACCESS_CHECK_COST],
  ...['isSorted', 'sum', 'max', 'min', 'indexOf', 'lastIndexOf'].map(name => [name, () => traversed] as const),
  ...['url', 'lowerAscii', 'upperAscii', 'substring', 'trim', 'cidr', 'isIP', 'isCIDR', 'quantity', 'isQuantity', 'semver', 'isSemver'].map(
    name => [name, () => of(STRING_FACTOR)] as const,
  ),
  ...['replace', 'split', 'ip.isCanonical'].map(name => [name, () => of(2 * STRING_FACTOR)] as const),
  ['join', () => (_, result) => Math.ceil(sizeOf(result) * 2 * STRING_FACTOR)],
  ['find', () => matchCost],
  ['findAll', () => matchCost],
  ['ip', id => (id === 'cidr_ip' ? 1 : of(STRING_FACTOR))],
  ['containsIP', id => args => compared(args) + (id === 'cidr_contains_ip_string' ? Math.ceil(sizeOf(args[1]!) * STRING_FACTOR) : 0)],
  [
    'containsCIDR',
    id => args =>
      compared(args) +
      Math.ceil(addressSize(args[0]!) * STRING_FACTOR) +
      1 +
      (id === 'cidr_contains_cidr_string' ? Math.ceil(sizeOf(args[1]!) * STRING_FACTOR) : 0),
  ],
  ['validate', () => args => Math.ceil(sizeOf(args[1]!) * STRING_FACTOR) * 15],
  ...['sets.contains', 'sets.intersects', 'sets.equivalent'].map(
    name => [name, () => (args: readonly CelValue[]) => 1 + sizeOf(args[0]!) * sizeOf(args[1]!)] as const,
  ),
])

/** An address is compared byte by byte. */
function addressSize(_: CelValue): number {
  return 16
}

/** What it costs to walk through a value. */
function traversed([value]: readonly CelValue[]): number {
  return value === undefined ? 0 : traversalCost(value)
}

function traversalCost(value: CelValue): number {
  if (typeof value === 'string') return Math.floor(new TextEncoder().encode(value).length * STRING_FACTOR)
  if (value instanceof Uint8Array) return Math.floor(value.length * STRING_FACTOR)
  if (value instanceof CelList) return [...value].reduce<number>((sum, element) => sum + traversalCost(element), 0)
  if (value instanceof CelMap) {
    return [...value.keys()].reduce<number>((sum, key) => sum + traversalCost(key) + traversalCost(value.get(key)!), 0)
  }
  return 1
}

function callCost(name: string, overloadId: string): CallCost {
  if (NOMINAL.has(name)) return 1
  return CALL_COSTS.get(name)?.(overloadId) ?? STANDARD_COST_MODEL.callCost(name, overloadId)
}

/** `EstimateCallCost` of upstream's library/cost.go; whatever it changes would let other rules into CustomResourceDefinitions. */
function estimateCall(
  name: string,
  overloadId: string,
  target: EstimatedNode | undefined,
  args: readonly EstimatedNode[],
  sizeOfNode: (node: EstimatedNode) => SizeRange,
): CallEstimate | undefined {
  const [first, second] = args
  if (NOMINAL.has(name)) return { cost: fixed(1) }
  const parsed = () => (first === undefined ? undefined : { cost: scaled(sizeOfNode(first), STRING_FACTOR) })
  switch (name) {
    case 'check':
      return { cost: fixed(ACCESS_CHECK_COST) }
    case 'isSorted':
    case 'sum':
    case 'max':
    case 'min':
    case 'indexOf':
    case 'lastIndexOf': {
      if (target === undefined) return undefined
      const element = elementOf(target)
      if (element === undefined) return { cost: scaled(sizeOfNode(target), STRING_FACTOR) }
      const isText = element.type.kind === 'string' || element.type.kind === 'bytes'
      const each = isText ? plus(fixed(1), scaled(sizeOfNode(element), STRING_FACTOR)) : fixed(1)
      return { cost: times(sizeOfNode(target), each) }
    }
    case 'url':
      return parsed()
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
      return target && { cost: scaled(sizeOfNode(target), STRING_FACTOR), size: sizeOfNode(target) }
    case 'replace':
      if (target === undefined || first === undefined || second === undefined) return undefined
      return {
        cost: scaled(sizeOfNode(target), 2 * STRING_FACTOR),
        size: replacedSize(sizeOfNode(target), sizeOfNode(first), sizeOfNode(second)),
      }
    case 'split': {
      if (target === undefined) return undefined
      const limit =
        second?.expression?.kind === 'literal' && typeof second.expression.value === 'bigint' ? Number(second.expression.value) : -1
      return {
        cost: scaled(sizeOfNode(target), 2 * STRING_FACTOR),
        size: { min: 0, max: limit >= 0 ? limit : sizeOfNode(target).max },
      }
    }
    case 'join': {
      if (target === undefined) return undefined
      const list = sizeOfNode(target)
      const element = elementOf(target)
      let size: SizeRange = element === undefined ? fixed(0) : times(list, sizeOfNode(element))
      if (first !== undefined)
        size = plus(size, times(sizeOfNode(first), { min: Math.max(list.min - 1, 0), max: Math.max(list.max - 1, 0) }))
      return { cost: scaled(size, STRING_FACTOR), size }
    }
    case 'find':
    case 'findAll': {
      if (target === undefined || first === undefined) return undefined
      const text = scaled(plus(sizeOfNode(target), fixed(1)), STRING_FACTOR)
      return { cost: times(text, scaled(sizeOfNode(first), PATTERN_FACTOR)), size: { min: 0, max: sizeOfNode(target).max } }
    }
    case 'ip':
      return target === undefined ? undefined : { cost: fixed(1) }
    case 'containsIP':
    case 'containsCIDR': {
      if (target === undefined || first === undefined) return undefined
      const bytes: SizeRange = { min: 4, max: 16 }
      let cost = scaled(plus(bytes, bytes), STRING_FACTOR)
      if (name === 'containsCIDR') cost = plus(plus(cost, scaled(bytes, STRING_FACTOR)), fixed(1))
      return { cost: overloadId.endsWith('_string') ? plus(cost, scaled(sizeOfNode(first), STRING_FACTOR)) : cost }
    }
    case 'validate':
      return first && { cost: times(scaled(sizeOfNode(first), STRING_FACTOR), fixed(15)) }
    case 'sets.contains':
    case 'sets.intersects':
    case 'sets.equivalent':
      return first && second && { cost: plus(fixed(1), times(sizeOfNode(first), sizeOfNode(second))) }
    default:
      return undefined
  }
}

/** An element of a list, as estimates see it. */
function elementOf(list: EstimatedNode): EstimatedNode | undefined {
  const [type] = list.type.parameters
  if (type === undefined) return undefined
  return { type, path: list.path && [...list.path, '@items'], expression: undefined, size: undefined }
}

/** How long a text is in which each `old` was replaced. */
function replacedSize(text: SizeRange, old: SizeRange, replacement: SizeRange): SizeRange {
  const grown = (length: number, part: number, by: number, keeps: boolean) => {
    if (part === 0) return (length + 1) * by + length
    return keeps ? length : Math.ceil(length / part) * by
  }
  return {
    max: Math.min(grown(text.max, old.min, replacement.max, replacement.max <= old.min), MAX_COST),
    min: Math.min(grown(text.min, old.max, replacement.min, old.max <= replacement.min), MAX_COST),
  }
}

/** What calls cost in Kubernetes, before and while they are made. */
export const KUBERNETES_COSTS: CostModel & EstimateModel = { callCost, estimateCall }
