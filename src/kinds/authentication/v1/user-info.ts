import { list, map, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'

export const UserInfo = message('io.k8s.api.authentication.v1.UserInfo', {
  username: omitempty(1, string),
  uid: omitempty(2, string),
  groups: omitempty(3, list(string)),
  extra: omitempty(4, map(list(string))),
})
export interface UserInfo extends StoredOf<typeof UserInfo> {}
