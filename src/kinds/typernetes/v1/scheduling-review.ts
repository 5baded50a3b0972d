import { defineKind, type ObjectWith } from '#machinery/kind/kind.ts'
import {
  int32,
  list,
  map,
  message,
  microTime,
  number,
  omitempty,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { ageColumn, nameColumn } from '../../meta/v1/columns.ts'

export const MoreNodes = message('dev.typernetes.v1.MoreNodes', {
  like: required(1, string, 'The node that they are like, without its pods.'),
  count: required(2, int32, 'How many.'),
})

export const SupposedTaint = message('dev.typernetes.v1.SupposedTaint', {
  node: omitempty(1, string, 'On which node; absent: wherever it stands.'),
  key: required(2, string, 'The key of the taint.'),
})

export const SupposedLabel = message('dev.typernetes.v1.SupposedLabel', {
  node: required(1, string, 'Which node.'),
  key: required(2, string, 'The key of the label.'),
  value: omitempty(3, string, 'Its value.'),
})

export const SchedulingSupposition = message('dev.typernetes.v1.SchedulingSupposition', {
  moreNodes: optional(1, MoreNodes, 'So many more nodes.'),
  withoutNodes: omitempty(2, list(string), 'Nodes that are not there.'),
  withoutTaints: omitempty(3, list(SupposedTaint), 'Taints that are not there.'),
  uncordoned: omitempty(4, list(string), 'Cordoned nodes that are not.'),
  labels: omitempty(5, list(SupposedLabel), 'Labels that nodes have besides their own.'),
  withoutPods: omitempty(6, list(string), 'Pods that are not there, as namespace/name.'),
  requests: omitempty(7, map(quantity), 'What each container of the pod requests instead.'),
})
export interface SchedulingSupposition extends StoredOf<typeof SchedulingSupposition> {}

export const SchedulingReviewSpec = message('dev.typernetes.v1.SchedulingReviewSpec', {
  pod: required(1, string, 'The pod, by its name.'),
  supposition: optional(
    2,
    SchedulingSupposition,
    'What would be, if this were different. Absent: what was found out when it was last tried.',
  ),
})
export interface SchedulingReviewSpec extends StoredOf<typeof SchedulingReviewSpec> {}

export const NodeCounts = message('dev.typernetes.v1.NodeCounts', {
  all: required(1, int32, 'How many nodes there were.'),
  seen: required(2, int32, 'How many were looked at.'),
  feasible: required(3, int32, 'How many of these would do.'),
})

export const NodeRefusal = message('dev.typernetes.v1.NodeRefusal', {
  plugin: required(1, string, 'The plugin of the scheduler that refused.'),
  reasons: omitempty(2, list(string), 'Its reasons, as events have them.'),
  code: required(3, string, 'Whether something could make it otherwise: `unschedulable`, `unresolvable`, `pending`.'),
  count: required(4, int32, 'How many nodes; 0: before any was looked at.'),
  nodes: omitempty(5, list(string), 'Some of them.'),
})

export const NodeScore = message('dev.typernetes.v1.NodeScore', {
  node: required(1, string, 'The node.'),
  total: required(2, number, 'The sum; the highest is chosen.'),
  plugins: omitempty(3, map(number), 'What each plugin gave, weighted.'),
})

export const SchedulingReviewStatus = message('dev.typernetes.v1.SchedulingReviewStatus', {
  schedulerName: omitempty(1, string, 'Which scheduler it is that says so.'),
  time: optional(2, microTime, 'When that was found out. Absent: there is no answer yet.'),
  node: omitempty(3, string, 'The node that was chosen, or would be.'),
  message: omitempty(4, string, 'Why none was, in the words of the event.'),
  nodes: optional(5, NodeCounts, 'How many nodes were there and would do.'),
  refusals: omitempty(6, list(NodeRefusal), 'Why the others would not, the most frequent reason first.'),
  scores: omitempty(7, list(NodeScore), 'The best nodes, the best first.'),
  problem: omitempty(8, string, 'Why there is no answer.'),
})
export interface SchedulingReviewStatus extends StoredOf<typeof SchedulingReviewStatus> {}

export interface SchedulingReview extends ObjectWith<{ spec: SchedulingReviewSpec; status: SchedulingReviewStatus }> {}

export const SchedulingReview = defineKind({
  documentation:
    'A question to the scheduler: why a pod went where it went, or nowhere, and what would become of it if something were different. The scheduler answers in the status and takes the question away after a minute.',
  group: 'typernetes.dev',
  version: 'v1',
  kind: 'SchedulingReview',
  plural: 'schedulingreviews',
  scope: 'Namespaced',
  openapi: 'dev.typernetes.v1',
  subresources: [{ name: 'status', verbs: ['get', 'update', 'patch'] }],
  spec: SchedulingReviewSpec,
  status: SchedulingReviewStatus,
  columns: [
    nameColumn,
    { name: 'Pod', of: ({ spec }) => spec.pod },
    { name: 'Node', of: ({ status }) => status.node },
    { name: 'Message', of: ({ status }) => status.message ?? status.problem },
    ageColumn,
  ],
})
