/** The word that was probably meant: the fewest changes away, if those are few for its length. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  let best: string | undefined
  let fewest = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of words) {
    const changes = candidate.startsWith(word) && word.length >= 3 ? 1 : distance(word, candidate)
    if (changes >= fewest) continue
    fewest = changes
    best = candidate
  }
  return best
}

/** How many letters have to be put in, left out, changed or swapped with their neighbour. */
function distance(left: string, right: string): number {
  let before: number[] = []
  let last = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const row = [i]
    for (let j = 1; j <= right.length; j++) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost)
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) least = Math.min(least, before[j - 2]! + 1)
      row.push(least)
    }
    before = last
    last = row
  }
  return last[right.length]!
}
