// Every controller of the controller manager. Adding one is its file and its line here.

import { deploymentController } from './deployment/deployment';
import type { ControllerDeclaration } from './engine';
import { replicaSetController } from './replicaset/replicaset';

export const controllers: readonly ControllerDeclaration[] = [deploymentController, replicaSetController];
