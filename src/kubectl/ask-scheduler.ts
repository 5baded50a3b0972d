import type { Client } from '#client/client.ts'
import { SchedulingReview, type SchedulingReviewSpec, type SchedulingReviewStatus } from '#kinds/typernetes/v1/scheduling-review.ts'
import { StatusError } from '#machinery/status/status-error.ts'
import { UsageError } from './kubectl-verb.ts'

/** `pod/web`, `pods/web` or `web`. */
export function podNamed(text: string): string {
  const name = /^(?:pods?|po)\/(.+)$/.exec(text)?.[1] ?? text
  if (name.includes('/')) throw new UsageError(`"${text}" is no pod: give pod/NAME`)
  return name
}

/** How long a scheduler is waited for. */
const PATIENCE_SECONDS = 10

/** Puts a question to the scheduler by way of the API, and takes it away again once it is answered. */
export async function askScheduler(
  client: Client,
  namespace: string,
  spec: SchedulingReviewSpec,
  signal: AbortSignal,
): Promise<SchedulingReviewStatus> {
  const asked = await created(client, namespace, spec)
  try {
    const answer = await answered(client, asked, signal)
    if (answer.problem) throw new UsageError(answer.problem)
    return answer
  } finally {
    await client.delete(SchedulingReview, asked).catch(() => undefined) // the scheduler takes it away in a minute otherwise
  }
}

async function created(client: Client, namespace: string, spec: SchedulingReviewSpec): Promise<SchedulingReview> {
  try {
    return await client.create(SchedulingReview, {
      metadata: { generateName: `${spec.pod}-`.slice(-50).replace(/^[^a-z0-9]+/, ''), namespace },
      spec,
    })
  } catch (error) {
    if (error instanceof StatusError && error.code === 404 && error.details?.kind === undefined) {
      throw new UsageError(
        'this API server does not serve typernetes.dev/v1: only "t8s up" and "t8s server" do, or --runtime-config=typernetes.dev/v1=true',
      )
    }
    throw error
  }
}

function answered(client: Client, { metadata }: SchedulingReview, signal: AbortSignal): Promise<SchedulingReviewStatus> {
  const { namespace = '', name = '' } = metadata
  return new Promise((resolve, reject) => {
    let following: Disposable | undefined
    let isOver = false
    const end = (act: () => void) => {
      isOver = true
      following?.[Symbol.dispose]()
      signal.removeEventListener('abort', abort)
      late.removeEventListener('abort', tooLate)
      act()
    }
    const abort = () => end(() => reject(signal.reason))
    signal.addEventListener('abort', abort, { once: true })
    const late = AbortSignal.timeout(PATIENCE_SECONDS * 1000)
    const tooLate = () => end(() => reject(silence()))
    late.addEventListener('abort', tooLate, { once: true })
    const silence = () =>
      new UsageError(
        `no scheduler answered within ${PATIENCE_SECONDS} s: none runs, or it is one that does not explain itself (upstream's does not)`,
      )
    following = client.watch(
      SchedulingReview,
      { namespace, fieldSelector: `metadata.name=${name}` },
      {
        event({ type, object }) {
          if (type === 'DELETED') end(() => reject(silence()))
          else if (object.status?.time !== undefined || object.status?.problem !== undefined) end(() => resolve(object.status))
        },
        closed: error => end(() => reject(error ?? silence())),
      },
    )
    if (isOver) following[Symbol.dispose]()
  })
}
