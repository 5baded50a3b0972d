import {
  boolean,
  embedded,
  int32,
  int64,
  list,
  listMap,
  map,
  message,
  omitempty,
  oneOf,
  optional,
  quantity,
  required,
  type StoredOf,
  string,
} from '#machinery/schema/schema.ts'
import { timeOrNull } from '../../meta/v1/time-or-null.ts'
import { RecursiveReadOnlyMode } from './recursive-read-only-mode.ts'
import { ResourceRequirements } from './resource-requirements.ts'

export const ContainerStateRunning = message('io.k8s.api.core.v1.ContainerStateRunning', {
  startedAt: embedded(1, timeOrNull, 'Since when it runs.'),
})
export interface ContainerStateRunning extends StoredOf<typeof ContainerStateRunning> {}

export const ContainerStateTerminated = message('io.k8s.api.core.v1.ContainerStateTerminated', {
  exitCode: required(1, int32, 'The exit status.'),
  signal: omitempty(2, int32, 'The signal that ended it.'),
  reason: omitempty(3, string, 'What happened, in one word.'),
  message: omitempty(4, string, 'What happened, for people.'),
  startedAt: embedded(5, timeOrNull, 'When it started.'),
  finishedAt: embedded(6, timeOrNull, 'When it ended.'),
  containerID: omitempty(7, string, 'The id that the runtime gave it.'),
})
export interface ContainerStateTerminated extends StoredOf<typeof ContainerStateTerminated> {}

export const ContainerStateWaiting = message('io.k8s.api.core.v1.ContainerStateWaiting', {
  reason: omitempty(1, string, 'What happened, in one word.'),
  message: omitempty(2, string, 'What happened, for people.'),
})
export interface ContainerStateWaiting extends StoredOf<typeof ContainerStateWaiting> {}

export const ContainerState = message('io.k8s.api.core.v1.ContainerState', {
  waiting: optional(1, ContainerStateWaiting, 'It is not running yet.'),
  running: optional(2, ContainerStateRunning, 'It runs.'),
  terminated: optional(3, ContainerStateTerminated, 'It has ended.'),
})
export interface ContainerState extends StoredOf<typeof ContainerState> {}

export const LinuxContainerUser = message('io.k8s.api.core.v1.LinuxContainerUser', {
  uid: required(1, int64, 'The user id of the first process.'),
  gid: required(2, int64, 'The group id of the first process.'),
  supplementalGroups: omitempty(3, list(int64), 'Further groups of the first process.'),
})
export interface LinuxContainerUser extends StoredOf<typeof LinuxContainerUser> {}

export const ContainerUser = message('io.k8s.api.core.v1.ContainerUser', {
  linux: optional(1, LinuxContainerUser, 'The user on Linux.'),
})
export interface ContainerUser extends StoredOf<typeof ContainerUser> {}

export const ResourceHealth = message('io.k8s.api.core.v1.ResourceHealth', {
  resourceID: required(1, string, 'The id of the device.'),
  health: omitempty(2, oneOf('Healthy', 'Unhealthy', 'Unknown'), '`Healthy`, `Unhealthy` or `Unknown`.'),
  message: optional(6, string, 'What happened, for people.'),
})
export interface ResourceHealth extends StoredOf<typeof ResourceHealth> {}

export const ResourceStatus = message('io.k8s.api.core.v1.ResourceStatus', {
  name: required(1, string, 'The resource, such as `example.com/gpu` or `claim:NAME/REQUEST`.'),
  resources: omitempty(2, listMap(ResourceHealth, ['resourceID']), 'Each device, and how it is.'),
})
export interface ResourceStatus extends StoredOf<typeof ResourceStatus> {}

export const ImageVolumeStatus = message('io.k8s.api.core.v1.ImageVolumeStatus', {
  imageRef: required(1, string, 'The image, by its digest.'),
})
export interface ImageVolumeStatus extends StoredOf<typeof ImageVolumeStatus> {}

export const VolumeStatus = message('io.k8s.api.core.v1.VolumeStatus', {
  image: optional(1, ImageVolumeStatus, 'The image that is mounted.'),
})
export interface VolumeStatus extends StoredOf<typeof VolumeStatus> {}

export const VolumeMountStatus = message('io.k8s.api.core.v1.VolumeMountStatus', {
  name: required(1, string, 'The volume.'),
  mountPath: required(2, string, 'The path in the container.'),
  readOnly: omitempty(3, boolean, 'Whether it can only be read.'),
  recursiveReadOnly: optional(4, RecursiveReadOnlyMode, 'How far down the mount is read-only, as it was asked for.'),
  volumeStatus: optional(5, VolumeStatus, 'What is known of the volume.'),
})
export interface VolumeMountStatus extends StoredOf<typeof VolumeMountStatus> {}

export const ContainerStatus = message('io.k8s.api.core.v1.ContainerStatus', {
  name: required(1, string, 'The container.'),
  state: embedded(2, ContainerState, 'What it does now.'),
  lastState: embedded(3, ContainerState, 'How it ended the last time.'),
  ready: required(4, boolean, 'Whether it is ready.'),
  restartCount: required(5, int32, 'How often it was started again.'),
  image: required(6, string, 'The image that runs.'),
  imageID: required(7, string, 'The digest of the image that runs.'),
  containerID: omitempty(8, string, 'The id that the runtime gave it.'),
  started: optional(9, boolean, 'Whether it has come through its startup probe.'),
  allocatedResources: omitempty(10, map(quantity), 'What the node has set aside for it.'),
  resources: optional(11, ResourceRequirements, 'What it has been given.'),
  volumeMounts: omitempty(
    12,
    listMap(VolumeMountStatus, ['mountPath'], { patchStrategy: 'merge', patchMergeKey: 'mountPath' }),
    'What is mounted where.',
  ),
  user: optional(13, ContainerUser, 'The user as whom it runs.'),
  allocatedResourcesStatus: omitempty(
    14,
    listMap(ResourceStatus, ['name'], { patchStrategy: 'merge', patchMergeKey: 'name' }),
    'How the devices are that the container was given.',
  ),
  stopSignal: optional(15, string, 'The signal that ends the container.'),
})
export interface ContainerStatus extends StoredOf<typeof ContainerStatus> {}
