/** Why a store refused or failed. `code` is for programs, the message for people. */
export abstract class StoreError extends Error {
  abstract readonly code: string
  override get name(): string {
    return this.constructor.name
  }
}

/** The history asked for is no longer kept: read the present again and go on from its revision. */
export class CompactedError extends StoreError {
  readonly code = 'compacted'
  readonly revision: number
  readonly compactRevision: number
  constructor(revision: number, compactRevision: number) {
    super(`revision ${revision} is no longer kept: history begins at revision ${compactRevision}; list again and go on from there`)
    this.revision = revision
    this.compactRevision = compactRevision
  }
}

/** A read at a revision that has not happened yet. */
export class FutureRevisionError extends StoreError {
  readonly code = 'futureRevision'
  readonly revision: number
  readonly currentRevision: number
  constructor(revision: number, currentRevision: number) {
    super(`revision ${revision} has not happened yet: the store is at revision ${currentRevision}`)
    this.revision = revision
    this.currentRevision = currentRevision
  }
}

/** The write did not happen because the disk is full. Reads and watches go on; writes work again once there is space. */
export class NoSpaceError extends StoreError {
  readonly code = 'noSpace'
  constructor(where: string, cause?: unknown) {
    super(`no space left for the store in ${where}: the write did not happen; free some space and it will be accepted again`, { cause })
  }
}

/** The disk is so full that the store cannot even be opened: nothing has changed on it. */
export class NoRoomError extends StoreError {
  readonly code = 'noRoom'
  constructor(where: string, cause?: unknown) {
    super(`the store in ${where} cannot be opened: its disk is full; free some space (64 KiB are enough to read), then start again`, {
      cause,
    })
  }
}

/** The stored bytes of this key do not match their checksum, so they are not served. */
export class CorruptError extends StoreError {
  readonly code = 'corrupt'
  readonly key: string
  readonly revision: number
  constructor(key: string, revision: number) {
    super(
      `the stored value of ${JSON.stringify(key)} (revision ${revision}) is damaged and not served: restore it from a backup, or write or delete the key`,
    )
    this.key = key
    this.revision = revision
  }
}

/** The store has been closed. */
export class ClosedError extends StoreError {
  readonly code = 'closed'
  constructor() {
    super('the store is closed')
  }
}

/** Another process has this directory open. */
export class LockedError extends StoreError {
  readonly code = 'locked'
  constructor(directory: string, holder: string) {
    super(`the store in ${directory} is in use by ${holder}: stop it first, or choose another directory`)
  }
}

/** The request itself makes no sense, whatever the state. */
export class InvalidRequestError extends StoreError {
  readonly code = 'invalidRequest'
}

/** The lease was never granted, was revoked or ran out. */
export class LeaseNotFoundError extends StoreError {
  readonly code = 'leaseNotFound'
  readonly id: number
  constructor(id: number) {
    super(`lease ${id} does not exist: it was never granted, was revoked, or ran out`)
    this.id = id
  }
}

/** The store could not be reached or failed on the way. With `outcomeUnknown`, a write may or may not have happened: read before writing again. */
export class UnavailableError extends StoreError {
  readonly code = 'unavailable'
  readonly outcomeUnknown: boolean
  constructor(message: string, options: { outcomeUnknown: boolean; cause?: unknown }) {
    super(message, { cause: options.cause })
    this.outcomeUnknown = options.outcomeUnknown
  }
}

/** The disk failed under the store, which stops: nothing it did not acknowledge is certain. The process should end and be started anew. */
export class FatalStoreError extends StoreError {
  readonly code = 'fatal'
  constructor(where: string, cause: unknown) {
    super(`the disk under the store in ${where} failed (${String(cause)}): the store has stopped; check the disk, then start again`, {
      cause,
    })
  }
}

/** What is on disk cannot be read with certainty: nothing of it is served. */
export class DamagedStoreError extends StoreError {
  readonly code = 'damaged'
  constructor(where: string, what: string, { remedy = 'restore it from a backup' } = {}) {
    super(`the store in ${where} cannot be opened: ${what}; ${remedy}`)
  }
}
