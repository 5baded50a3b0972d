import type { Clock } from '#base/time/clock.ts'
import type { Container } from '#kinds/core/v1/container.ts'
import type { EphemeralContainer } from '#kinds/core/v1/ephemeral-container.ts'
import type { Pod } from '#kinds/core/v1/pod.ts'
import type { Secret } from '#kinds/core/v1/secret.ts'
import type { PodEvents } from '../pods/pod-events.ts'
import { uidOf } from '../pods/pod-names.ts'
import type { Runtime, RuntimeImage, SandboxConfig } from '../runtime/runtime.ts'
import { goDuration } from './go-duration.ts'
import { withDefaultTag } from './image-names.ts'
import { credentialsFor } from './registry-credentials.ts'

/** An image cannot be had; `reason` is what the container's status shows. */
export class ImageError extends Error {
  readonly reason: 'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull' | 'InvalidImageName' | 'ImageInspectError'
  /** When another try is due. */
  readonly retryAtMs: number | undefined

  constructor(reason: ImageError['reason'], message: string, retryAtMs?: number) {
    super(message)
    this.name = 'ImageError'
    this.reason = reason
    this.retryAtMs = retryAtMs
  }
}

const FIRST_BACKOFF_MS = 10_000
const BACKOFF_LIMIT_MS = 300_000

interface Failure {
  readonly delayMs: number
  readonly failedAtMs: number
  readonly message: string
}

/** Brings images to the node as pods need them, at most `parallel` at a time, and holds back those that failed. */
export class ImagePuller {
  readonly #runtime: Runtime
  readonly #clock: Clock
  readonly #events: PodEvents
  readonly #failures = new Map<string, Failure>()
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(runtime: Runtime, clock: Clock, events: PodEvents, parallel = 5) {
    this.#runtime = runtime
    this.#clock = clock
    this.#events = events
    this.#free = parallel
  }

  /** The image of a container, pulled if its policy says so; rejects with an {@link ImageError}. */
  async ensure(
    pod: Pod,
    container: Container | EphemeralContainer,
    secrets: readonly Secret[],
    sandbox: SandboxConfig,
  ): Promise<RuntimeImage> {
    const asked = container.image ?? ''
    let name: string
    try {
      name = withDefaultTag(asked)
    } catch (error) {
      const message = `Failed to apply default image tag "${asked}": ${(error as Error).message}`
      this.#events.warning(pod, 'InspectFailed', message, container.name)
      throw new ImageError('InvalidImageName', message)
    }
    const policy = container.imagePullPolicy ?? (name.endsWith(':latest') ? 'Always' : 'IfNotPresent')
    const present = await this.#inspect(pod, container.name, asked, name)
    if (present && policy !== 'Always') {
      this.#failures.delete(keyOf(pod, name))
      this.#events.normal(
        pod,
        'Pulled',
        `Container image "${asked}" already present on machine and can be accessed by the pod`,
        container.name,
      )
      return present
    }
    if (policy === 'Never') {
      const message = `Container image "${asked}" is not present with pull policy of Never`
      this.#events.warning(pod, 'ErrImageNeverPull', message, container.name)
      throw new ImageError('ErrImageNeverPull', message)
    }
    this.#refuseInBackoff(pod, container.name, asked, name)
    return this.#pull(pod, container.name, asked, name, secrets, sandbox)
  }

  async #inspect(pod: Pod, containerName: string, asked: string, name: string): Promise<RuntimeImage | undefined> {
    try {
      return await this.#runtime.imageStatus(name)
    } catch (error) {
      const message = `Failed to inspect image "${asked}": ${(error as Error).message}`
      this.#events.warning(pod, 'InspectFailed', message, containerName)
      throw new ImageError('ImageInspectError', message)
    }
  }

  #refuseInBackoff(pod: Pod, containerName: string, asked: string, name: string): void {
    const failure = this.#failures.get(keyOf(pod, name))
    const dueMs = failure ? failure.failedAtMs + failure.delayMs : 0
    if (!failure || this.#clock.now() >= dueMs) return
    const message = `Back-off pulling image "${asked}"`
    this.#events.normal(pod, 'BackOff', message, containerName)
    throw new ImageError('ImagePullBackOff', `${message}: ErrImagePull: ${failure.message}`, dueMs)
  }

  async #pull(
    pod: Pod,
    containerName: string,
    asked: string,
    name: string,
    secrets: readonly Secret[],
    sandbox: SandboxConfig,
  ): Promise<RuntimeImage> {
    const askedMs = this.#clock.monotonic()
    await this.#turn()
    const startedMs = this.#clock.monotonic()
    try {
      this.#events.normal(pod, 'Pulling', `Pulling image "${asked}"`, containerName)
      await this.#pullWithCredentials(name, secrets, sandbox)
      const image = await this.#runtime.imageStatus(name)
      if (!image) throw new Error('the image is not there after it was pulled')
      const now = this.#clock.monotonic()
      const took = `${goDuration(now - startedMs)} (${goDuration(now - askedMs)} including waiting)`
      this.#events.normal(
        pod,
        'Pulled',
        `Successfully pulled image "${asked}" in ${took}. Image size: ${image.sizeBytes} bytes.`,
        containerName,
      )
      this.#failures.delete(keyOf(pod, name))
      return image
    } catch (error) {
      const { message } = error as Error
      this.#events.warning(pod, 'Failed', `Failed to pull image "${asked}": ${message}`, containerName)
      throw new ImageError('ErrImagePull', message, this.#failed(keyOf(pod, name), message))
    } finally {
      this.#free++
      this.#waiting.shift()?.()
    }
  }

  async #pullWithCredentials(name: string, secrets: readonly Secret[], sandbox: SandboxConfig): Promise<void> {
    const credentials = credentialsFor(name, secrets)
    if (credentials.length === 0) {
      await this.#runtime.pullImage(name, undefined, sandbox)
      return
    }
    const errors: unknown[] = []
    for (const auth of credentials) {
      try {
        await this.#runtime.pullImage(name, auth, sandbox)
        return
      } catch (error) {
        errors.push(error)
      }
    }
    throw errors.at(-1)
  }

  #failed(key: string, message: string): number {
    const now = this.#clock.now()
    const last = this.#failures.get(key)
    const delayMs = last ? Math.min(2 * last.delayMs, BACKOFF_LIMIT_MS) : FIRST_BACKOFF_MS
    this.#failures.set(key, { delayMs, failedAtMs: now, message })
    return now + delayMs
  }

  async #turn(): Promise<void> {
    while (this.#free === 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
    this.#free--
  }

  /** Forgets the failures of a pod that is gone. */
  forget(podUid: string): void {
    for (const key of this.#failures.keys()) if (key.startsWith(`${podUid} `)) this.#failures.delete(key)
  }
}

const keyOf = (pod: Pod, image: string) => `${uidOf(pod)} ${image}`
