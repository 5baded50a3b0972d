import { ListMeta, ObjectMeta } from '#machinery/kind/object-meta.ts'
import {
  anyJson,
  embedded,
  int32,
  list,
  message,
  omitempty,
  rawExtension,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'

/** A column of a table. */
export const TableColumnDefinition = message('io.k8s.apimachinery.pkg.apis.meta.v1.TableColumnDefinition', {
  name: required(1, string, 'What stands above the column.'),
  type: required(2, string, 'The OpenAPI type of its cells.'),
  format: required(3, string, 'The OpenAPI format of its cells; `name` marks the one that identifies the row.'),
  description: required(4, string, 'What the column shows.'),
  priority: required(5, int32, '0 for columns that are always shown, more for those of wide output.'),
})
export interface TableColumnDefinition extends StoredOf<typeof TableColumnDefinition> {}

export const TableRowCondition = message('io.k8s.apimachinery.pkg.apis.meta.v1.TableRowCondition', {
  type: required(1, string, 'Completed.'),
  status: required(2, string, 'True, False or Unknown.'),
  reason: omitempty(3, string, 'A word for why.'),
  message: omitempty(4, string, 'A sentence for why.'),
})
export interface TableRowCondition extends StoredOf<typeof TableRowCondition> {}

/** A row: the cells, and as much of the object as was asked for. */
export const TableRow = message('io.k8s.apimachinery.pkg.apis.meta.v1.TableRow', {
  cells: required(1, list(anyJson), 'One for each column.'),
  conditions: omitempty(2, list(TableRowCondition), 'What holds of the row.'),
  object: embedded(3, rawExtension, 'The object, its metadata or nothing.'),
})
export interface TableRow extends StoredOf<typeof TableRow> {}

/** Objects as `kubectl get` shows them. */
export const Table = message('io.k8s.apimachinery.pkg.apis.meta.v1.Table', {
  kind: omitempty(undefined, string),
  apiVersion: omitempty(undefined, string),
  metadata: embedded(1, ListMeta),
  columnDefinitions: required(2, list(TableColumnDefinition), 'What the columns are.'),
  rows: required(3, list(TableRow), 'One for each object.'),
})
export interface Table extends StoredOf<typeof Table> {}

/** The metadata of an object of any kind. */
export const PartialObjectMetadata = message('io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata', {
  kind: omitempty(undefined, string),
  apiVersion: omitempty(undefined, string),
  metadata: embedded(1, ObjectMeta),
})
export interface PartialObjectMetadata extends StoredOf<typeof PartialObjectMetadata> {}

export const PartialObjectMetadataList = message('io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadataList', {
  kind: omitempty(undefined, string),
  apiVersion: omitempty(undefined, string),
  metadata: embedded(1, ListMeta),
  items: required(2, list(PartialObjectMetadata)),
})
export interface PartialObjectMetadataList extends StoredOf<typeof PartialObjectMetadataList> {}
