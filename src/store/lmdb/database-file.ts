import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'lmdb'
import { DamagedStoreError, NoRoomError } from '../store-errors.ts'
import { isOfSpace } from './is-of-space.ts'

export const PAGE_BYTES = 4096

const LOCK_BYTES = 2 * PAGE_BYTES

/**
 * Makes sure that the directory has a database file LMDB can open without harm, and answers its path. Throws DamagedStoreError, NoRoomError or
 * what the disk says.
 *
 * A new file is made beside and takes its name only once it is on disk: LMDB ends the process on a file whose first pages were lost.
 */
export async function databaseFile(directory: string): Promise<string> {
  const path = `${directory}/data.mdb`
  if (existsSync(path)) {
    checkFile(directory, path)
    makeLockFile(directory, `${path}-lock`)
    return path
  }
  const draft = `${directory}/new.mdb`
  rmSync(draft, { force: true })
  const database = open<Buffer, Buffer>({
    path: draft,
    noSubdir: true,
    keyEncoding: 'binary',
    encoding: 'binary',
    overlappingSync: false,
    pageSize: PAGE_BYTES,
  })
  await database.put(Buffer.from('made'), Buffer.from('whole'))
  await database.remove(Buffer.from('made'))
  await database.close()
  sync(draft)
  renameSync(draft, path)
  rmSync(`${draft}-lock`, { force: true })
  sync(directory)
  sync(`${directory}/..`)
  makeLockFile(directory, `${path}-lock`)
  return path
}

/** LMDB maps this file into memory and writes there: where its blocks are not on disk yet and find no room, that ends the process. */
function makeLockFile(directory: string, path: string): void {
  if (existsSync(path) && statSync(path).blocks > 0) return
  try {
    writeFileSync(path, Buffer.alloc(LOCK_BYTES), { mode: 0o600 })
  } catch (error) {
    rmSync(path, { force: true })
    if (isOfSpace(error)) throw new NoRoomError(directory, error)
    throw error
  }
}

/** Where the first two pages, the roots of the two newest transactions, keep what is looked at here. */
const MAGIC = 0xbeefc0de
const MAGIC_AT = 24
const ROOT_PAGE_AT = 136
const NO_PAGE = 2n ** 64n - 1n

/** LMDB trusts its file and would end the process; what can be seen from outside is looked at first. */
function checkFile(directory: string, path: string): void {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const pages = Buffer.alloc(2 * PAGE_BYTES)
    if (size < pages.length || readSync(file, pages, 0, pages.length, 0) < pages.length)
      throw new DamagedStoreError(directory, `${path} is cut short`)
    for (const page of [pages.subarray(0, PAGE_BYTES), pages.subarray(PAGE_BYTES)]) {
      if (page.readUInt32LE(MAGIC_AT) !== MAGIC) throw new DamagedStoreError(directory, `${path} does not begin as an LMDB file does`)
      const root = page.readBigUInt64LE(ROOT_PAGE_AT)
      if (root !== NO_PAGE && (root + 1n) * BigInt(PAGE_BYTES) > BigInt(size))
        throw new DamagedStoreError(directory, `${path} is cut short`)
    }
  } finally {
    closeSync(file)
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
