import type { IncomingMessage } from 'node:http'
import { flagzText, statuszText, takesPlainText } from '#apiserver/http/debug-pages.ts'
import type { ProgramContext } from './run-program.ts'
import type { PageAnswer } from './serve-plain.ts'

/** What a program shows of itself: `/statusz` and `/flagz` for people, and `/configz` with `configuration` by API group. */
export function selfPages(
  { name, flagTexts, clock }: ProgramContext,
  configuration: Readonly<Record<string, object>> = {},
): Readonly<Record<string, (request: IncomingMessage) => PageAnswer>> {
  const startedMs = clock.now()
  const sinceMs = clock.monotonic()
  const forPeople =
    (text: () => string) =>
    (request: IncomingMessage): PageAnswer =>
      takesPlainText(request.headers.accept) ? [200, text()] : [406, 'media type not acceptable, must be: text/plain\n']
  return {
    '/statusz': forPeople(() => statuszText(name, startedMs, (clock.monotonic() - sinceMs) / 1000)),
    '/flagz': forPeople(() => flagzText(name, flagTexts)),
    '/configz': () => [200, JSON.stringify(configuration), 'application/json'],
  }
}
