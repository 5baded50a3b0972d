import { message, required, type StoredOf, string } from '#machinery/schema/schema.ts'

export const ShardInfo = message('io.k8s.apimachinery.pkg.apis.meta.v1.ShardInfo', {
  selector: required(1, string),
})
export interface ShardInfo extends StoredOf<typeof ShardInfo> {}
