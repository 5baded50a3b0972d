import { mkdirSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import type { Logger } from '#base/log/logger.ts'
import { systemRandom } from '#base/random/system-random.ts'
import type { Clock } from '#base/time/clock.ts'
import { EmbeddedStore, type EmbeddedStoreOptions, type Retention } from '../embedded/embedded-store.ts'
import type { FatalStoreError } from '../store-errors.ts'
import { databaseFile } from './database-file.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { LoggedJournal } from './logged-journal.ts'
import { recover } from './recover.ts'

export interface LmdbStoreOptions {
  /** Made if it is missing. One process at a time. */
  readonly directory: string
  readonly clock: Clock
  readonly logger: Logger
  /** How much of the past is kept: five minutes by default, but no more than half a million revisions (about 220 MB). */
  readonly retention?: Partial<Retention>
  /** Writes beyond this fail with NoSpaceError. 16 GiB by default; it costs address space only. */
  readonly maxSizeBytes?: number
  /**
   * Where the log is damaged: shows what came before, without what it held from there on, which may have been acknowledged. Nothing on disk is
   * changed, and every write is refused: its revisions would mean two things.
   */
  readonly salvages?: boolean
  /** The disk failed: end the process. */
  readonly onFatal?: (error: FatalStoreError) => void
}

const RETENTION: Retention = { forMs: 5 * 60_000, revisions: 500_000 }
const MAX_SIZE_BYTES = 16 * 2 ** 30

/** The embedded default: everything it acknowledges is on disk, in one directory. */
export class LmdbStore extends EmbeddedStore {
  readonly #lock: DirectoryLock

  private constructor(options: EmbeddedStoreOptions, lock: DirectoryLock) {
    super(options)
    this.#lock = lock
  }

  /** Opens the store of a directory. Rejects with LockedError, DamagedStoreError or what the disk says. */
  static async open(options: LmdbStoreOptions): Promise<LmdbStore> {
    const { directory, clock, logger, retention, maxSizeBytes = MAX_SIZE_BYTES, salvages = false, onFatal } = options
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const lock = await lockDirectory(directory)
    try {
      const startMs = clock.monotonic()
      const identity = Buffer.from(systemRandom().uuid().replaceAll('-', ''), 'hex')
      const journal = await LoggedJournal.open({
        directory,
        path: await databaseFile(directory),
        maxSizeBytes,
        clock,
        identity,
        logger,
        salvages,
        loopTime: () => performance.eventLoopUtilization(),
      })
      const { state, history, garbage, damaged, values } = recover({ ...journal.find(), directory, nowMs: clock.now() })
      for (const version of damaged) {
        logger.error('A stored value is damaged and not served', { key: version.key, revision: version.modRevision })
        journal.reportDamaged(version)
      }
      journal.forget(garbage)
      journal.handOut(values)
      logger.verbose('Store opened', {
        directory,
        revision: state.revision,
        keys: state.keys.size,
        durationMs: clock.monotonic() - startMs,
      })
      const embedded = {
        engine: 'lmdb' as const,
        clock,
        retention: { ...RETENTION, ...retention },
        // Hot: bench/apiserver — that of `node:timers/promises` looks for a signal and makes twice as much.
        nextTurn: () => new Promise<void>(resolve => setImmediate(resolve)),
        journal,
        state,
        history,
      }
      return new LmdbStore(onFatal ? { ...embedded, onFatal } : embedded, lock)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  protected override async finish(): Promise<void> {
    await super.finish()
    await this.#lock.release()
  }
}
