// All steps in their order, which the contract's `provisioningSteps` names.

import { bootStep } from './boot';
import { certificatesStep } from './certificates';
import { diskStep } from './disk';
import { imageStep } from './image';
import { packagesStep } from './packages';
import { readyStep } from './ready';
import { sshStep } from './ssh';
import type { ProvisioningStep } from './step';
import { kubeletStep, kubeProxyStep } from './unit';

export const allSteps: readonly ProvisioningStep[] = [
  imageStep,
  diskStep,
  bootStep,
  sshStep,
  packagesStep,
  certificatesStep,
  kubeletStep,
  kubeProxyStep,
  readyStep,
];
