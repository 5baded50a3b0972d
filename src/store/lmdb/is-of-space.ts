/** Whether a system call failed because the disk, or what one may take of it, is full. */
export function isOfSpace(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ENOSPC' || code === 'EDQUOT'
}
