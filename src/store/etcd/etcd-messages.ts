import { fromJSON, type PackageDefinition } from '@grpc/proto-loader'

/** What is spoken with etcd: the part of its API (v3) the store uses, as the arguments and answers look in JavaScript. */
export function etcdDefinition(): PackageDefinition {
  return fromJSON(
    { nested: { mvccpb: { nested: mvcc }, etcdserverpb: { nested: server } } },
    { longs: Number, enums: String, defaults: true, oneofs: true },
  )
}

export interface EtcdHeader {
  readonly revision: number
  /** Counts elections. */
  readonly raftTerm: number
}

export interface EtcdKeyValue {
  readonly key: Buffer
  readonly value: Buffer
  readonly createRevision: number
  readonly modRevision: number
  readonly version: number
  readonly lease: number
}

export interface EtcdRange {
  readonly header: EtcdHeader | null
  readonly kvs: readonly EtcdKeyValue[]
  readonly count: number
  readonly more: boolean
}

export interface EtcdTxn {
  readonly header: EtcdHeader
  readonly succeeded: boolean
  readonly responses: readonly EtcdOperationResult[]
}

export interface EtcdOperationResult {
  readonly responseRange?: EtcdRange
  readonly responsePut?: { readonly prevKv: EtcdKeyValue | null }
  readonly responseDeleteRange?: { readonly deleted: number; readonly prevKvs: readonly EtcdKeyValue[] }
}

export interface EtcdWatchResponse {
  readonly header: EtcdHeader
  readonly created: boolean
  readonly canceled: boolean
  readonly compactRevision: number
  readonly cancelReason: string
  readonly events: readonly { readonly type: 'PUT' | 'DELETE'; readonly kv: EtcdKeyValue; readonly prevKv: EtcdKeyValue | null }[]
}

export interface EtcdLease {
  readonly ID: number
  readonly TTL: number
}

export interface EtcdStatus {
  readonly header: EtcdHeader
  readonly version: string
  readonly dbSize: number
  /** The member that leads as far as this one knows; 0: none does. */
  readonly leader: number
  readonly dbSizeInUse: number
  readonly errors: readonly string[]
}

type Fields = Record<string, [id: number, type: string, rule?: 'repeated']>

type Descriptor = NonNullable<Parameters<typeof fromJSON>[0]['nested']>[string]

interface Field {
  readonly id: number
  readonly type: string
  readonly rule?: 'repeated'
}

function message(fields: Fields, oneofs: Record<string, string[]> = {}): Descriptor {
  const named: Record<string, Field> = {}
  for (const [name, [id, type, rule]] of Object.entries(fields)) named[name] = rule ? { id, type, rule } : { id, type }
  const choices: Record<string, { oneof: string[] }> = {}
  for (const [name, oneof] of Object.entries(oneofs)) choices[name] = { oneof }
  return { fields: named, oneofs: choices }
}

function method(requestType: string, responseType: string, streams = false) {
  return { requestType, responseType, requestStream: streams, responseStream: streams, comment: '' }
}

const header: Fields = { header: [1, 'ResponseHeader'] }

const mvcc: Record<string, Descriptor> = {
  KeyValue: message({
    key: [1, 'bytes'],
    createRevision: [2, 'int64'],
    modRevision: [3, 'int64'],
    version: [4, 'int64'],
    value: [5, 'bytes'],
    lease: [6, 'int64'],
  }),
  EventType: { values: { PUT: 0, DELETE: 1 } },
  Event: message({ type: [1, 'EventType'], kv: [2, 'KeyValue'], prevKv: [3, 'KeyValue'] }),
}

const server: Record<string, Descriptor> = {
  ResponseHeader: message({ revision: [3, 'int64'], raftTerm: [4, 'uint64'] }),
  RangeRequest: message({
    key: [1, 'bytes'],
    rangeEnd: [2, 'bytes'],
    limit: [3, 'int64'],
    revision: [4, 'int64'],
    keysOnly: [8, 'bool'],
    countOnly: [9, 'bool'],
  }),
  RangeResponse: message({ ...header, kvs: [2, 'mvccpb.KeyValue', 'repeated'], more: [3, 'bool'], count: [4, 'int64'] }),
  PutRequest: message({ key: [1, 'bytes'], value: [2, 'bytes'], lease: [3, 'int64'], prevKv: [4, 'bool'] }),
  PutResponse: message({ ...header, prevKv: [2, 'mvccpb.KeyValue'] }),
  DeleteRangeRequest: message({ key: [1, 'bytes'], rangeEnd: [2, 'bytes'], prevKv: [3, 'bool'] }),
  DeleteRangeResponse: message({ ...header, deleted: [2, 'int64'], prevKvs: [3, 'mvccpb.KeyValue', 'repeated'] }),
  RequestOp: message(
    { requestRange: [1, 'RangeRequest'], requestPut: [2, 'PutRequest'], requestDeleteRange: [3, 'DeleteRangeRequest'] },
    { request: ['requestRange', 'requestPut', 'requestDeleteRange'] },
  ),
  ResponseOp: message(
    { responseRange: [1, 'RangeResponse'], responsePut: [2, 'PutResponse'], responseDeleteRange: [3, 'DeleteRangeResponse'] },
    { response: ['responseRange', 'responsePut', 'responseDeleteRange'] },
  ),
  CompareResult: { values: { EQUAL: 0, GREATER: 1, LESS: 2, NOT_EQUAL: 3 } },
  CompareTarget: { values: { VERSION: 0, CREATE: 1, MOD: 2, VALUE: 3, LEASE: 4 } },
  Compare: message(
    {
      result: [1, 'CompareResult'],
      target: [2, 'CompareTarget'],
      key: [3, 'bytes'],
      version: [4, 'int64'],
      modRevision: [6, 'int64'],
      lease: [8, 'int64'],
    },
    { targetUnion: ['version', 'modRevision', 'lease'] },
  ),
  TxnRequest: message({
    compare: [1, 'Compare', 'repeated'],
    success: [2, 'RequestOp', 'repeated'],
    failure: [3, 'RequestOp', 'repeated'],
  }),
  TxnResponse: message({ ...header, succeeded: [2, 'bool'], responses: [3, 'ResponseOp', 'repeated'] }),
  CompactionRequest: message({ revision: [1, 'int64'], physical: [2, 'bool'] }),
  CompactionResponse: message(header),
  WatchRequest: message({ createRequest: [1, 'WatchCreateRequest'] }, { requestUnion: ['createRequest'] }),
  WatchCreateRequest: message({ key: [1, 'bytes'], rangeEnd: [2, 'bytes'], startRevision: [3, 'int64'], prevKv: [6, 'bool'] }),
  WatchResponse: message({
    ...header,
    watchId: [2, 'int64'],
    created: [3, 'bool'],
    canceled: [4, 'bool'],
    compactRevision: [5, 'int64'],
    cancelReason: [6, 'string'],
    events: [11, 'mvccpb.Event', 'repeated'],
  }),
  LeaseGrantRequest: message({ TTL: [1, 'int64'], ID: [2, 'int64'] }),
  LeaseGrantResponse: message({ ...header, ID: [2, 'int64'], TTL: [3, 'int64'], error: [4, 'string'] }),
  LeaseRevokeRequest: message({ ID: [1, 'int64'] }),
  LeaseRevokeResponse: message(header),
  LeaseKeepAliveRequest: message({ ID: [1, 'int64'] }),
  LeaseKeepAliveResponse: message({ ...header, ID: [2, 'int64'], TTL: [3, 'int64'] }),
  StatusRequest: message({}),
  StatusResponse: message({
    ...header,
    version: [2, 'string'],
    dbSize: [3, 'int64'],
    leader: [4, 'uint64'],
    errors: [8, 'string', 'repeated'],
    dbSizeInUse: [9, 'int64'],
  }),
  DefragmentRequest: message({}),
  DefragmentResponse: message(header),
  KV: {
    methods: {
      Range: method('RangeRequest', 'RangeResponse'),
      Txn: method('TxnRequest', 'TxnResponse'),
      Compact: method('CompactionRequest', 'CompactionResponse'),
    },
  },
  Watch: { methods: { Watch: method('WatchRequest', 'WatchResponse', true) } },
  Lease: {
    methods: {
      LeaseGrant: method('LeaseGrantRequest', 'LeaseGrantResponse'),
      LeaseRevoke: method('LeaseRevokeRequest', 'LeaseRevokeResponse'),
      LeaseKeepAlive: method('LeaseKeepAliveRequest', 'LeaseKeepAliveResponse', true),
    },
  },
  Maintenance: {
    methods: { Status: method('StatusRequest', 'StatusResponse'), Defragment: method('DefragmentRequest', 'DefragmentResponse') },
  },
}
