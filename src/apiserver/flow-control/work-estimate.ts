/** Objects that a list goes through for one seat, and the most seats of a request, as upstream's work estimator. */
const OBJECTS_PER_SEAT = 100
const MAX_SEATS = 10

/**
 * How many seats a list takes: one, and more the more objects it goes through.
 *
 * @param stored how many objects of the resource there are
 * @param query of the request: a page goes through no more than its `limit`, unless a selector makes it look for them
 */
export function seatsOfList(stored: number, query: string): number {
  if (stored <= OBJECTS_PER_SEAT) return 1
  const limit = query.includes('Selector=') ? 0 : Number(/(?:^|&)limit=(\d+)/.exec(query)?.[1] ?? 0)
  const visited = limit > 0 ? Math.min(stored, limit) : stored
  return Math.min(MAX_SEATS, Math.max(1, Math.ceil(visited / OBJECTS_PER_SEAT)))
}
