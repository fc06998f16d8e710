import type { ClusterState, ControlPlaneView, MachineView } from '../../src-main/contract';
import type { Tone } from './tone';

const tones: Record<ClusterState, Tone> = {
  creating: 'progress',
  starting: 'progress',
  running: 'ok',
  stopping: 'progress',
  stopped: 'idle',
  failed: 'bad',
  deleting: 'progress',
};
export const clusterTone = (state: ClusterState): Tone => tones[state];

const machineTones: Record<MachineView['state'], Tone> = {
  absent: 'idle',
  stopped: 'idle',
  starting: 'progress',
  running: 'ok',
  stopping: 'progress',
  suspended: 'idle',
  failed: 'bad',
};
export const machineTone = (state: MachineView['state']): Tone => machineTones[state];

const controlPlaneTones: Record<ControlPlaneView['state'], Tone> = {
  stopped: 'idle',
  starting: 'progress',
  running: 'ok',
  restarting: 'warn',
  failed: 'bad',
};
export const controlPlaneTone = (state: ControlPlaneView['state']): Tone => controlPlaneTones[state];
