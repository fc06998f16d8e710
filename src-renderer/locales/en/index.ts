import { common } from './common';
import { create } from './create';
import { clusters, deployments, images } from './deployments';
import { firstRun } from './first-run';
import { frame } from './frame';
import { events, nodes, services } from './kube';
import { overview } from './overview';
import { pods } from './pods';
import { progress } from './progress';

export const en = {
  common,
  frame,
  firstRun,
  create,
  progress,
  overview,
  nodes,
  pods,
  deployments,
  services,
  events,
  images,
  clusters,
} as const;
