import { createReadStream, createWriteStream, existsSync, readdirSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock } from '../time/clock.ts'

/** How a file of lines is kept from growing for ever. 0 is no limit. */
export interface Rotation {
  readonly maxBytes: number
  readonly maxBackups: number
  readonly maxAgeMs: number
  /** Whether old files are compressed with gzip. */
  readonly compresses: boolean
}

/**
 * A file that lines are added to. Beyond `maxBytes` it is renamed to `name-<time>.ext` and begun anew; the oldest such files are deleted. What
 * is appended while a write is under way goes with the next one, all together. Lines are never divided between files.
 */
export class RotatingFile {
  readonly #path: string
  readonly #rotation: Rotation
  readonly #clock: Clock
  #file: FileHandle | undefined
  #bytes = 0
  #waiting: { text: string; resolve(): void; reject(error: unknown): void }[] = []
  #writing: Promise<void> | undefined
  #tidying: Promise<void> = Promise.resolve()

  /** Opens the file, or makes it, readable by its owner alone. Rejects with the error of the file system. */
  static async open(path: string, rotation: Rotation, clock: Clock): Promise<RotatingFile> {
    const file = new RotatingFile(path, rotation, clock)
    await file.#open()
    return file
  }

  private constructor(path: string, rotation: Rotation, clock: Clock) {
    this.#path = path
    this.#rotation = rotation
    this.#clock = clock
  }

  /** Resolves once the text is in the file (in the page cache: a crash of the machine may lose it). */
  append(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ text, resolve, reject })
      this.#writing ??= this.#writeAll()
    })
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#tidying
    await this.#file?.close()
    this.#file = undefined
  }

  async #writeAll(): Promise<void> {
    // What is appended in the same turn goes along.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        const bytes = Buffer.from(batch.map(({ text }) => text).join(''))
        if (this.#rotation.maxBytes > 0 && this.#bytes > 0 && this.#bytes + bytes.length > this.#rotation.maxBytes) await this.#rotate()
        if (!this.#file) await this.#open()
        await this.#file!.appendFile(bytes)
        this.#bytes += bytes.length
        for (const { resolve } of batch) resolve()
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    // At once: what is appended from here on begins a write of its own.
    this.#writing = undefined
  }

  async #open(): Promise<void> {
    this.#file = await open(this.#path, 'a', 0o600)
    this.#bytes = (await this.#file.stat()).size
  }

  async #rotate(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
    renameSync(this.#path, this.#backupPath())
    this.#tidying = this.#tidying.then(() => this.#tidy()).catch(() => undefined)
    await this.#open()
  }

  /** `audit-2026-11-20T12-00-00.000.log` */
  #backupPath(): string {
    const extension = extname(this.#path)
    const stem = this.#path.slice(0, this.#path.length - extension.length)
    for (let ms = this.#clock.now(); ; ms++) {
      const time = new Date(ms).toISOString().slice(0, -1).replaceAll(':', '-')
      const path = `${stem}-${time}${extension}`
      if (!existsSync(path) && !existsSync(`${path}.gz`)) return path
    }
  }

  async #tidy(): Promise<void> {
    const { maxBackups, maxAgeMs, compresses } = this.#rotation
    const oldestMs = maxAgeMs > 0 ? this.#clock.now() - maxAgeMs : Number.NEGATIVE_INFINITY
    const backups = this.#backups()
    const doomed = backups.filter(({ atMs }, index) => atMs < oldestMs || (maxBackups > 0 && index >= maxBackups))
    for (const { path } of doomed) unlinkSync(path)
    if (!compresses) return
    for (const backup of backups) if (!doomed.includes(backup) && !backup.path.endsWith('.gz')) await compress(backup.path)
  }

  /** Old files, the newest first. */
  #backups(): { readonly path: string; readonly atMs: number }[] {
    const directory = dirname(this.#path)
    const extension = extname(this.#path)
    const stem = basename(this.#path, extension)
    return readdirSync(directory)
      .flatMap(name => {
        const bare = name.endsWith('.gz') ? name.slice(0, -3) : name
        if (!bare.startsWith(`${stem}-`) || !bare.endsWith(extension)) return []
        const time = bare.slice(stem.length + 1, bare.length - extension.length)
        const [, day, hours, minutes, rest] = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})$/.exec(time) ?? []
        return day === undefined ? [] : [{ path: join(directory, name), atMs: Date.parse(`${day}T${hours}:${minutes}:${rest}Z`) }]
      })
      .sort((a, b) => b.atMs - a.atMs)
  }
}

async function compress(path: string): Promise<void> {
  await pipeline(createReadStream(path), createGzip(), createWriteStream(`${path}.gz`, { mode: statSync(path).mode }))
  unlinkSync(path)
}
