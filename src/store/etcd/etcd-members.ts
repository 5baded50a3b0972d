import { type Client, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import type { Clock } from '#base/time/clock.ts'
import type { EtcdAddress } from './etcd-channel.ts'
import { memberSecurity } from './etcd-credentials.ts'

/** A member of an etcd cluster, as the members know it. */
export interface EtcdMember {
  /** A number beyond what a JavaScript number holds, in decimal. */
  readonly id: string
  /** '' until the member has started for the first time. */
  readonly name: string
  readonly peerURLs: readonly string[]
  readonly clientURLs: readonly string[]
  /** It follows, and does not vote yet. */
  readonly isLearner: boolean
}

/** What one member says of itself. */
export interface EtcdMemberStatus {
  /** Whether it knows a leader: without one it answers no consistent read and no write. */
  readonly leader: string
  readonly version: string
  readonly sizeBytes: number
}

/** Who belongs to an etcd cluster. Every call rejects with gRPC's error; the changes wait for a majority of the members. */
export class EtcdMembers implements Disposable {
  readonly #cluster: Client
  readonly #maintenance: Client
  readonly #clock: Clock
  readonly #timeoutMs: number

  /** Speaks with the member at `endpoint`. */
  constructor(endpoint: string, tls: NonNullable<EtcdAddress['tls']>, clock: Clock, timeoutMs = 7_000) {
    const { host, credentials, options } = memberSecurity(endpoint, tls)
    const services = loadPackageDefinition(definition())['etcdserverpb'] as unknown as Record<string, ServiceClientConstructor>
    this.#cluster = new services['Cluster']!(host, credentials, options)
    this.#maintenance = new services['Maintenance']!(host, credentials, options)
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** All members, as this member knows them: it answers without the others. */
  async list(): Promise<EtcdMember[]> {
    return membersOf(await this.#call(this.#cluster, 'memberList', {}))
  }

  /** Adds a member that is to be started with this peer URL. It follows without a vote until it is promoted. */
  async addLearner(peerURL: string): Promise<EtcdMember[]> {
    return membersOf(await this.#call(this.#cluster, 'memberAdd', { peerURLs: [peerURL], isLearner: true }))
  }

  /** Gives a learner its vote. Rejects until it has caught up with the leader. */
  async promote(id: string): Promise<void> {
    await this.#call(this.#cluster, 'memberPromote', { ID: id })
  }

  async remove(id: string): Promise<void> {
    await this.#call(this.#cluster, 'memberRemove', { ID: id })
  }

  /** What the member itself says: also of one that knows no leader. */
  async status(): Promise<EtcdMemberStatus> {
    const { leader, version, dbSize } = await this.#call<{ leader: string; version: string; dbSize: string }>(
      this.#maintenance,
      'status',
      {},
    )
    return { leader: leader === '0' ? '' : leader, version, sizeBytes: Number(dbSize) }
  }

  [Symbol.dispose](): void {
    this.#cluster.close()
    this.#maintenance.close()
  }

  #call<Response = { members: WireMember[] }>(client: Client, method: string, request: object): Promise<Response> {
    const methods = client as unknown as Record<string, UnaryMethod>
    return new Promise((resolve, reject) => {
      methods[method]!.call(client, request, { deadline: this.#clock.now() + this.#timeoutMs }, (error, response) =>
        error ? reject(error) : resolve(response as Response),
      )
    })
  }
}

interface WireMember {
  readonly ID: string
  readonly name: string
  readonly peerURLs: readonly string[]
  readonly clientURLs: readonly string[]
  readonly isLearner: boolean
}

type UnaryMethod = (request: object, options: object, callback: (error: Error | null, response: unknown) => void) => void

function membersOf({ members }: { readonly members: readonly WireMember[] }): EtcdMember[] {
  return members.map(({ ID, ...rest }) => ({ ...rest, id: ID }))
}

/** The part of etcd's API that is about members; numbers as text, since they use all 64 bits. */
function definition() {
  const field = (id: number, type: string, rule?: 'repeated') => (rule ? { id, type, rule } : { id, type })
  const method = (requestType: string, responseType: string) => ({
    requestType,
    responseType,
    requestStream: false,
    responseStream: false,
    comment: '',
  })
  const members = { fields: { members: field(2, 'Member', 'repeated') } }
  return fromJSON(
    {
      nested: {
        etcdserverpb: {
          nested: {
            Member: {
              fields: {
                ID: field(1, 'uint64'),
                name: field(2, 'string'),
                peerURLs: field(3, 'string', 'repeated'),
                clientURLs: field(4, 'string', 'repeated'),
                isLearner: field(5, 'bool'),
              },
            },
            MemberListRequest: { fields: {} },
            MemberListResponse: members,
            MemberAddRequest: { fields: { peerURLs: field(1, 'string', 'repeated'), isLearner: field(2, 'bool') } },
            MemberAddResponse: { fields: { members: field(3, 'Member', 'repeated') } },
            MemberRemoveRequest: { fields: { ID: field(1, 'uint64') } },
            MemberRemoveResponse: members,
            MemberPromoteRequest: { fields: { ID: field(1, 'uint64') } },
            MemberPromoteResponse: members,
            StatusRequest: { fields: {} },
            StatusResponse: { fields: { version: field(2, 'string'), dbSize: field(3, 'int64'), leader: field(4, 'uint64') } },
            Cluster: {
              methods: {
                MemberList: method('MemberListRequest', 'MemberListResponse'),
                MemberAdd: method('MemberAddRequest', 'MemberAddResponse'),
                MemberRemove: method('MemberRemoveRequest', 'MemberRemoveResponse'),
                MemberPromote: method('MemberPromoteRequest', 'MemberPromoteResponse'),
              },
            },
            Maintenance: { methods: { Status: method('StatusRequest', 'StatusResponse') } },
          },
        },
      },
    },
    { longs: String, enums: String, defaults: true },
  )
}
