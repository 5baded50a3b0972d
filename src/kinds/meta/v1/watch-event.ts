import { message, rawExtension, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const WatchEvent = message('io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent', {
  type: required(1, string, '`ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`.'),
  object: required(2, rawExtension, 'The object as it is now.'),
})
export interface WatchEvent extends StoredOf<typeof WatchEvent> {}
