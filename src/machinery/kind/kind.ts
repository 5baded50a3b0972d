import {
  type AnySchema,
  type DraftFields,
  embedded,
  type Fields,
  type Message,
  type Mutable,
  message,
  omitempty,
  type StoredFields,
  type StoredOf,
  string,
} from '../schema/schema.ts'
import type { FieldErrors } from '../status/field-errors.ts'
import { metadata, type ObjectMeta, type ObjectMetaDraft } from './object-meta.ts'

/** Any stored object, as code that is the same for every kind sees it. */
export interface ApiObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

/** What a client may send of an object. */
export interface ApiObjectDraft {
  readonly apiVersion?: string | undefined
  readonly kind?: string | undefined
  readonly metadata?: ObjectMetaDraft | undefined
}

/** A stored object with the given fields beside its metadata. `export interface Pod extends ObjectWith<{ spec: PodSpec; status: PodStatus }> {}` */
export type ObjectWith<F> = ApiObject & { readonly [K in keyof F]: F[K] }

/** A stored object whose fields are declared by `F`: `export interface ConfigMap extends ObjectOfFields<typeof fields> {}`. */
export type ObjectOfFields<F extends Fields> = ApiObject & StoredFields<F>

/** The stored type of a kind. */
export type ObjectOf<K> = K extends Kind<infer Stored, infer _Draft> ? Stored : never
/** What a client may send for a kind. */
export type DraftObjectOf<K> = K extends Kind<infer _Stored, infer Draft> ? Draft : never

/** A column of `kubectl get`. `of` returns text, a number, or undefined for `<none>`-like cells as upstream prints them. */
export interface Column<Stored> {
  readonly name: string
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description?: string
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority?: number
  /** The cell is in every row, but no definition tells of it: upstream forgot some. */
  readonly undeclared?: boolean
  // A cell may be computed by a function over the kind's own type: any keeps TypeScript from resolving that type within its own declaration.
  // biome-ignore lint/suspicious/noExplicitAny: see above
  of(object: Stored, context: { readonly now: number }): any
}

/** The user and the time of a write, for kinds that note them down. */
export interface WriteContext {
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly user: {
    readonly name: string
    readonly uid?: string
    readonly groups: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  /** '' for the object itself, else the subresource that is written to. */
  readonly subresource: string
  /** Whether a feature gate is on at this server. */
  isGateOn(name: string): boolean
}

/** A field that counts only while a feature gate is on: else it is taken out of what is written, unless the stored object has it already. */
export interface GatedField {
  readonly gate: string
  /** From the object: `spec.containers[].lifecycle.stopSignal`; `[]` are all elements of a list, `{}` all values of a map. */
  readonly path: string
  /** What is taken out if the field is there; default: the field. */
  readonly drops?: string
}

export type { Mutable }

/** A condition of a table's row: upstream knows `Completed`. */
export interface RowCondition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** What a kind adds to what holds for all of them. All are optional; where the usual needs no code, there is none. */
export interface KindHooks<Stored> {
  /**
   * Defaults that depend on other fields. Runs after the constants of the schema; must be idempotent. Where nothing is missing it must not
   * even write the same again: what a write has not touched is the stored object's own.
   */
  applyDefaults?(object: Mutable<Stored>): void
  /** Before validation of a create: reset what only the server sets. */
  prepareCreate?(object: Mutable<Stored>, context: WriteContext): void
  /** Before validation of an update of the object (subresource '') or of one of its subresources: carry over what may not change. */
  prepareUpdate?(object: Mutable<Stored>, old: Stored, context: WriteContext): void
  /** Fields that feature gates decide over. */
  readonly gatedFields?: readonly GatedField[]
  /** What the schema cannot say. */
  validate?(object: Stored, errors: FieldErrors, context: WriteContext): void
  /** What holds of new objects only, beside `validate`. */
  validateCreate?(object: Stored, errors: FieldErrors): void
  /** What may not change, or only so. */
  validateUpdate?(object: Stored, old: Stored, errors: FieldErrors, subresource: string, context: WriteContext): void
  /** `Warning` headers of a create or update. */
  warnings?(object: Stored, old: Stored | undefined): string[]
  /** Fields beside metadata.name and metadata.namespace that a field selector may name. Values are strings; absent is ''. */
  readonly selectableFields?: Readonly<Record<string, (object: Stored) => string>>
  /** What a row of `kubectl get` says beside its cells: that a pod has ended. */
  rowConditions?(object: Stored): readonly RowCondition[]
  /** Annotations that upstream keeps as fields within: where metadata is shown alone, they are not among it. */
  readonly innerAnnotations?: readonly string[]
  /** Versions that are not served any more, but in which others store objects: how JSON in them becomes JSON of this one. */
  readonly formerVersions?: Readonly<Record<string, (object: Record<string, unknown>) => Record<string, unknown>>>
  /** The name rule; default: a DNS subdomain. Returns messages, none if the name is good. */
  validateName?(name: string, prefix: boolean): readonly string[]
}

/** A verb of the API as discovery lists it. */
export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

/** A subresource that clients see in discovery. */
export interface Subresource {
  /** The part behind the name: `status`, `scale`, `eviction`, `log`. */
  readonly name: string
  readonly verbs: readonly (Verb | 'connect')[]
  /** The kind that goes in and out, if it is not the object's own. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string }
  /** For `scale`: where replicas, their status and the selector are. */
  readonly scale?: { readonly replicas: string; readonly statusReplicas: string; readonly selector?: string }
}

/** What a kind's declaration says beside its fields. */
export interface KindFacts {
  /** '' is the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly scope: 'Namespaced' | 'Cluster'
  /** Every verb unless said otherwise (`ComponentStatus`, reviews and `Binding` have few). */
  readonly verbs: readonly Verb[]
  readonly subresources: readonly Subresource[]
  /** PUT of a name that is not there creates it. */
  readonly createOnUpdate: boolean
  /** PUT without a resourceVersion is allowed. */
  readonly unconditionalUpdate: boolean
  /** DELETE answers with the object and not with a Status. */
  readonly deleteReturnsObject: boolean
  /** The server counts `metadata.generation` for it: with every change outside of metadata and status. */
  readonly generation: boolean
  /** What becomes of dependents when the client does not say. */
  readonly defaultPropagation: 'Background' | 'Orphan'
  /** What keys in the store have behind `/registry/`, as upstream: the plural, or `minions`, `services/specs`, `<group>/<plural>`. */
  readonly storagePrefix: string
  /** What keys had there in earlier versions: a server that starts moves such objects. */
  readonly formerStoragePrefix?: string
  readonly documentation: string
  /** Finalizers may have any name: so for custom resources and what serves them. */
  readonly freeFinalizers?: boolean
  /** A custom resource: served by its definition, in JSON and YAML only, and shown in lists with its type. */
  readonly isCustom?: boolean
  /** What a client is told that asks for a version which is on its way out: the text of a `Warning` header. */
  readonly deprecationWarning?: string
}

/** A kind: facts, schema and hooks. What the registry, the codecs and the documents are made of. */
export interface Kind<Stored = ApiObject, Draft = ApiObjectDraft> extends KindFacts {
  /** `v1`, `apps/v1`. */
  readonly apiVersion: string
  readonly listKind: string
  /** The whole object: apiVersion, kind, metadata and the declared fields. */
  readonly schema: Message<Fields>
  readonly columns: readonly Column<Stored>[] | undefined
  readonly hooks: KindHooks<Stored>
  /** Set on a further version of a stored kind: how to get from and to the stored one. */
  readonly view: View | undefined
  readonly stored?: Stored
  readonly draft?: Draft
}

// biome-ignore lint/suspicious/noExplicitAny: a kind of whatever object; hooks make Kind invariant in its type
export type AnyKind = Kind<any, any>

/** How one version of a kind is another one's view. Both functions return new values and lose nothing. */
export interface View {
  readonly of: AnyKind
  /** From this version to the stored one. */
  up(object: Record<string, unknown>): Record<string, unknown>
  /** From the stored version to this one. */
  down(object: Record<string, unknown>): Record<string, unknown>
  /** Selectable fields of this version that the stored one calls otherwise. */
  readonly fieldNames?: Readonly<Record<string, string>>
  /**
   * Writes are admitted and checked in this version, and converted only to be stored: so for custom resources, each version of which has
   * rules of its own. Without it they are in the stored version.
   */
  readonly isIndependent?: boolean
  /**
   * Gets conversions of stored objects ready that take asking somebody; undefined where there is nothing to wait for. What was not made
   * ready {@link up} and {@link down} refuse with a {@link ConversionPending}.
   */
  prepare?(objects: readonly Record<string, unknown>[]): Promise<void> | undefined
}

/** Thrown by a conversion that takes asking somebody: when `ready` resolves, the same conversion has its answer; it rejects with the failure. */
export class ConversionPending extends Error {
  override readonly name = 'ConversionPending'
  readonly ready: Promise<void>

  constructor(ready: Promise<void>) {
    super('the conversion is under way')
    this.ready = ready
    // Who gives up on it need not hear of its failure.
    ready.catch(() => undefined)
  }
}

type SpecField<S> = S extends AnySchema ? { spec: ReturnType<typeof embedded<S>> } : unknown
type StatusField<S> = S extends AnySchema ? { status: ReturnType<typeof embedded<S>> } : unknown
type AsFields<F> = F extends Fields ? F : never
type FieldsOf<Spec, Status, F> = AsFields<SpecField<Spec> & StatusField<Status> & F>

/** What {@link defineKind} takes: `spec` and `status` are fields 2 and 3, other fields are named in `fields`. */
export interface KindDeclaration<Spec, Status, F extends Fields>
  extends Partial<Omit<KindFacts, 'group' | 'version' | 'kind' | 'plural' | 'scope'>>,
    KindHooks<NoInfer<ApiObject & StoredFields<FieldsOf<Spec, Status, F>>>> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly scope: 'Namespaced' | 'Cluster'
  /** The OpenAPI package: `io.k8s.api.apps.v1`. */
  readonly openapi: string
  readonly spec?: Spec
  readonly status?: Status
  readonly fields?: F
  readonly columns?: readonly Column<NoInfer<ApiObject & StoredFields<FieldsOf<Spec, Status, F>>>>[]
}

/** The type of the kind that a declaration makes. */
type DeclaredKind<F extends Fields> = Kind<ApiObject & StoredFields<F>, ApiObjectDraft & DraftFields<F>>

/**
 * Declares a built-in resource: everything that the API server, clients and documents know of it.
 *
 * The stored type is declared beside it from the parts, so that facts about the kind may be asked within its own hooks:
 *
 * ```ts
 * export interface CronJob extends ObjectWith<{ spec: CronJobSpec; status: CronJobStatus }> {}
 * export const CronJob = defineKind({ group: 'batch', …, spec: CronJobSpec, status: CronJobStatus })
 * ```
 */
export function defineKind<Spec = undefined, Status = undefined, F extends Fields = Record<never, never>>(
  declaration: KindDeclaration<Spec, Status, F>,
): DeclaredKind<FieldsOf<Spec, Status, F>> {
  const { group, version, kind, plural, scope, openapi, spec, status, fields, columns } = declaration
  const {
    applyDefaults,
    prepareCreate,
    prepareUpdate,
    gatedFields,
    validate,
    validateCreate,
    validateUpdate,
    warnings,
    selectableFields,
    rowConditions,
    innerAnnotations,
    formerVersions,
    validateName,
  } = declaration
  const declared: Fields = {
    ...(spec ? { spec: embedded(2, spec as unknown as AnySchema, `What ${article(kind)} is to be.`) } : {}),
    ...(status ? { status: embedded(3, status as unknown as AnySchema, `What ${article(kind)} is; written by the system.`) } : {}),
    ...fields,
  }
  const documentation = declaration.documentation ?? ''
  const hooks = {
    applyDefaults,
    prepareCreate,
    prepareUpdate,
    gatedFields,
    validate,
    validateCreate,
    validateUpdate,
    warnings,
    selectableFields,
    rowConditions,
    innerAnnotations,
    formerVersions,
    validateName,
  }
  return {
    group,
    version,
    kind,
    plural,
    scope,
    documentation,
    apiVersion: group === '' ? version : `${group}/${version}`,
    listKind: `${kind}List`,
    singular: declaration.singular ?? kind.toLowerCase(),
    shortNames: declaration.shortNames ?? [],
    categories: declaration.categories ?? [],
    verbs: declaration.verbs ?? ALL_VERBS,
    subresources: declaration.subresources ?? [],
    createOnUpdate: declaration.createOnUpdate ?? false,
    unconditionalUpdate: declaration.unconditionalUpdate ?? true,
    deleteReturnsObject: declaration.deleteReturnsObject ?? false,
    generation: declaration.generation ?? false,
    defaultPropagation: declaration.defaultPropagation ?? 'Background',
    storagePrefix: declaration.storagePrefix ?? plural,
    ...(declaration.formerStoragePrefix ? { formerStoragePrefix: declaration.formerStoragePrefix } : {}),
    ...(declaration.freeFinalizers ? { freeFinalizers: true } : {}),
    columns: columns as DeclaredKind<FieldsOf<Spec, Status, F>>['columns'],
    schema: objectSchema(`${openapi}.${kind}`, declared, documentation),
    hooks: Object.fromEntries(Object.entries(hooks).filter(([, hook]) => hook !== undefined)) as DeclaredKind<
      FieldsOf<Spec, Status, F>
    >['hooks'],
    view: undefined,
  }
}

/** Declares a further version (or group) in which the objects of `stored` are served. `Shown` and `Stored` are the two forms of an object. */
export function defineVersionOf<Stored extends ApiObject, Shown extends ApiObject, Draft>(
  stored: AnyKind,
  kind: Kind<Shown, Draft>,
  conversion: { up(object: Shown): Stored; down(object: Stored): Shown; fieldNames?: View['fieldNames'] },
): Kind<Shown, Draft> {
  return { ...kind, view: { of: stored, ...(conversion as unknown as Omit<View, 'of'>) } }
}

/** The schema of a whole object: `apiVersion` and `kind` are outside of upstream's protobuf message, metadata is its first field. */
export function objectSchema(name: string, fields: Fields, documentation = ''): Message<Fields> {
  const all: Fields = {
    kind: omitempty(undefined, string, 'What kind of object this is.'),
    apiVersion: omitempty(undefined, string, 'The group and version of the API in which the object is written.'),
    metadata,
    ...fields,
  }
  return message(name, all, { documentation })
}

/** What every stored kind offers unless it says otherwise. */
export const ALL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** The stored type of a schema, for interfaces: `export interface PodSpec extends StoredOf<typeof PodSpec> {}`. */
export type { StoredOf }

function article(kind: string): string {
  return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`
}
