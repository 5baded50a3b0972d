import { list, map, message, omitempty, type StoredOf, string } from '#machinery/schema/schema.ts'

export const UserInfo = message('io.k8s.api.authentication.v1.UserInfo', {
  username: omitempty(1, string, 'The name.'),
  uid: omitempty(2, string, 'The id.'),
  groups: omitempty(3, list(string), 'The groups.'),
  extra: omitempty(4, map(list(string)), 'More about the user.'),
})
export interface UserInfo extends StoredOf<typeof UserInfo> {}
