/** One thing that has to be well; answers what is wrong, undefined if nothing is. */
export interface HealthCheck {
  readonly name: string
  check(): string | undefined | Promise<string | undefined>
}

/** What a health endpoint answers. */
export interface HealthReport {
  readonly isHealthy: boolean
  readonly text: string
}

/** Runs the checks of an endpoint (`healthz`, `livez`, `readyz`) but those that are excluded. */
export async function reportHealth(
  endpoint: string,
  checks: readonly HealthCheck[],
  options: { readonly isVerbose: boolean; readonly excluded: ReadonlySet<string> },
): Promise<HealthReport> {
  const lines: string[] = []
  let isHealthy = true
  for (const check of checks) {
    if (options.excluded.has(check.name)) {
      lines.push(`[+]${check.name} excluded: ok\n`)
      continue
    }
    const wrong = await check.check()
    if (wrong === undefined) lines.push(`[+]${check.name} ok\n`)
    else {
      isHealthy = false
      lines.push(`[-]${check.name} failed: reason withheld\n`)
    }
  }
  const unknown = [...options.excluded].filter(name => !checks.some(check => check.name === name))
  if (unknown.length > 0) {
    const names = unknown.map(name => `"${name}"`).join(', ')
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}\n`)
  }
  if (!isHealthy) return { isHealthy, text: `${lines.join('')}${endpoint} check failed\n` }
  return { isHealthy, text: options.isVerbose ? `${lines.join('')}${endpoint} check passed\n` : 'ok' }
}
