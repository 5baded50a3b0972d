import { Command } from 'commander'
import type { Verb } from '../verb.ts'
import { backupVerb } from './backup.ts'
import { defragmentVerb } from './defragment.ts'
import { migrateVerb } from './migrate.ts'
import { restoreVerb } from './restore.ts'
import { storeStatusVerb } from './store-status.ts'

/** `t8s store`: what is done to a cluster's store as a whole. */
export const storeVerb: Verb = context => {
  const command = new Command('store').description("Back up, restore, move and tend a cluster's store.")
  for (const verb of [backupVerb, restoreVerb, migrateVerb, defragmentVerb, storeStatusVerb]) command.addCommand(verb(context))
  return command
}
