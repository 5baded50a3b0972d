import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { open } from 'lmdb'
import { InvalidRequestError } from '../store-errors.ts'
import { databaseFile, PAGE_BYTES } from './database-file.ts'
import { lockDirectory } from './directory-lock.ts'

/** Rewrites the database of a directory without its free pages, and puts it in the place of the old one in one step. */
export async function defragmentDirectory(directory: string): Promise<{ beforeBytes: number; afterBytes: number }> {
  if (!existsSync(`${directory}/data.mdb`)) throw new InvalidRequestError(`there is no store in ${directory}: name another directory`)
  const lock = await lockDirectory(directory)
  const draft = `${directory}/defragmented.mdb`
  try {
    const path = await databaseFile(directory)
    rmSync(draft, { force: true })
    const database = open<Buffer, Buffer>({
      path,
      noSubdir: true,
      keyEncoding: 'binary',
      encoding: 'binary',
      pageSize: PAGE_BYTES,
      overlappingSync: false,
    })
    try {
      await database.backup(draft, true)
    } finally {
      await database.close()
    }
    sync(draft)
    const beforeBytes = statSync(path).size
    const afterBytes = statSync(draft).size
    renameSync(draft, path)
    rmSync(`${path}-lock`, { force: true })
    sync(directory)
    return { beforeBytes, afterBytes }
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  } finally {
    await lock.release()
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
