/** What a normalised score is at most. */
export const MAX_SCORE = 100

/** Stretches scores so that the highest is 100. All zero stays all zero. */
export function normalizeUp(scores: Float64Array): void {
  const highest = maxOf(scores)
  if (highest === 0) return
  for (let index = 0; index < scores.length; index++) scores[index] = Math.floor((scores[index]! * MAX_SCORE) / highest)
}

/** The other way round: the lowest raw score becomes the best. All zero becomes all 100. */
export function normalizeDown(scores: Float64Array): void {
  const highest = maxOf(scores)
  for (let index = 0; index < scores.length; index++) {
    scores[index] = highest === 0 ? MAX_SCORE : MAX_SCORE - Math.floor((scores[index]! * MAX_SCORE) / highest)
  }
}

function maxOf(scores: Float64Array): number {
  let highest = 0
  for (const score of scores) if (score > highest) highest = score
  return highest
}
