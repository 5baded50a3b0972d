const PERIOD_MICROSECONDS = 100_000
const LEAST_QUOTA_MICROSECONDS = 1000
const LEAST_SHARES = 2
const MOST_SHARES = 262_144

/** The weight of a cgroup v1 for so many thousandths of a cpu. */
export function cpuSharesOf(milli: number): number {
  return Math.min(MOST_SHARES, Math.max(LEAST_SHARES, Math.floor((milli * 1024) / 1000)))
}

/** The microseconds of a period of 100 ms that so many thousandths of a cpu are. */
export function cpuQuotaOf(milli: number): number {
  return Math.max(LEAST_QUOTA_MICROSECONDS, Math.floor((milli * PERIOD_MICROSECONDS) / 1000))
}

/** The weight of a cgroup v2 that means the same as these shares. */
export function cpuWeightOf(shares: number): number {
  return Math.floor(1 + ((shares - 2) * 9999) / 262_142)
}
