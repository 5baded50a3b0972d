import { int32, message, optional, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const KeyToPath = message('io.k8s.api.core.v1.KeyToPath', {
  key: required(1, string, 'The key.'),
  path: required(2, string, "The file's path below the mount."),
  mode: optional(3, int32, 'Permissions of the file.'),
})
export interface KeyToPath extends StoredOf<typeof KeyToPath> {}
