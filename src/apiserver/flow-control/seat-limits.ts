/** What a PriorityLevelConfiguration says of its share of the server's seats. */
export interface LevelShares {
  /** `nominalConcurrencyShares`. */
  readonly shares: number
  readonly lendablePercent: number
  /** Undefined: it may borrow all that there is. */
  readonly borrowingLimitPercent?: number | undefined
}

/** Between how many seats a level moves, and how many are its own. */
export interface SeatBounds {
  readonly nominal: number
  readonly min: number
  readonly max: number
}

/** Shares out the seats of a server among its levels (KEP-1040, "Dispatching"). One answer for each level, in their order. */
export function seatBounds(levels: readonly LevelShares[], totalSeats: number): SeatBounds[] {
  const sum = levels.reduce((total, { shares }) => total + shares, 0)
  return levels.map(({ shares, lendablePercent, borrowingLimitPercent }) => {
    const nominal = sum === 0 ? 0 : Math.ceil((totalSeats * shares) / sum)
    const lendable = Math.round((nominal * lendablePercent) / 100)
    const borrowable = borrowingLimitPercent === undefined ? totalSeats : Math.round((nominal * borrowingLimitPercent) / 100)
    return { nominal, min: nominal - lendable, max: nominal + borrowable }
  })
}

/** How many seats a level could have used lately. */
export interface LevelDemand {
  readonly bounds: SeatBounds
  /** The most at any moment since the last adjustment. */
  readonly high: number
  /** What it needs by and large. */
  readonly smooth: number
}

/**
 * Lends seats that some levels do not need to those that do: each gets what its demand is times one factor, the same for all, within its
 * bounds, so that the sum is the server's seats (KEP-1040, "Periodic adjustment of concurrency limits").
 */
export function adjustedSeats(levels: readonly LevelDemand[], totalSeats: number): number[] {
  const least = levels.map(({ bounds, high }) => Math.max(bounds.min, Math.min(bounds.nominal, high)))
  const most = levels.map(({ bounds }, index) => Math.max(bounds.max, least[index]!))
  const targets = levels.map(({ smooth }, index) => Math.max(least[index]!, smooth))
  const seats = (factor: number) => targets.map((target, index) => Math.min(most[index]!, Math.max(least[index]!, factor * target)))
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  if (sum(least) >= totalSeats) return least
  if (sum(most) <= totalSeats) return most
  let low = 0
  let high = 1
  while (sum(seats(high)) < totalSeats && high < 2 ** 40) high *= 2
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (sum(seats(middle)) < totalSeats) low = middle
    else high = middle
  }
  return seats(high).map(value => Math.round(value))
}
